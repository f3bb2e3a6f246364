using System.CommandLine;
using System.Text.Json;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Guards;
using Turnpike.Admin.Organisations;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli.Accounts;

/// <summary><c>turnpike organisations create|show|list|suspend|resume|delete|members|add|remove|grant|grants|take-back</c>. Beside a running gateway, writing goes through its Admin API.</summary>
internal static class OrganisationsCommand
{
    public static Command Create() => new("organisations", "Organisations: what their callers may spend together, and a balance all of them spend.")
    {
        CreateOne(), Show(), List(), Members(),
        Status("suspend", "Serve none of an organisation's callers, until it is resumed."),
        Status("resume", "Serve the callers of a suspended organisation again."),
        Status("delete", "Delete an organisation to which no callers belong, and which has no money."),
        Join("add", joins: true, "Let a caller belong to an organisation, and to no other."),
        Join("remove", joins: false, "Let a caller belong to nobody."),
        Grant(), Grants(), TakeBack(),
    };

    private static Argument<string> Name() => new("name") { Description = "The organisation's name." };

    private static Command CreateOne()
    {
        var name = Name();
        var caps = new Option<string[]>("--cap") { Description = "The most its callers may spend, \"5000.00 USD per 1mo\" together or \"200.00 USD per 1d each caller\"; may be given again." };
        var note = new Option<string?>("--note") { Description = "Your own words about it." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("create", "Create an organisation, or replace what is said of it.\nExample: turnpike organisations create \"Acme Corp\" --cap \"5000.00 USD per 1mo\" --cap \"200.00 USD per 1d each caller\"") { name, caps, note, config, json };
        command.SetAction((p, ct) => PutAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, new OrganisationBody(p.GetValue(caps), p.GetValue(note)), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Show()
    {
        var name = Name();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("show", "Show an organisation: its caps, how far they are used, and its balance.\nExample: turnpike organisations show \"Acme Corp\"") { name, config, json };
        command.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command List()
    {
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("list", "List organisations by name, those of the file among them.\nExample: turnpike organisations list") { config, json };
        command.SetAction((p, ct) => ListAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Members()
    {
        var name = Name();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("members", "List the callers of an organisation.\nExample: turnpike organisations members \"Acme Corp\"") { name, config, json };
        command.SetAction((p, ct) => MembersAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Status(string verb, string says)
    {
        var name = Name();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command(verb, $"{says}\nExample: turnpike organisations {verb} \"Acme Corp\"") { name, config, json };
        command.SetAction((p, ct) => ChangeAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, verb, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Join(string verb, bool joins, string says)
    {
        var (name, caller) = (Name(), new Argument<string>("caller") { Description = "The caller's name." });
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command(verb, $"{says}\nExample: turnpike organisations {verb} \"Acme Corp\" agent-1") { name, caller, config, json };
        command.SetAction((p, ct) => JoinAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, p.GetValue(caller)!, joins, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Grant()
    {
        var (name, amount) = (Name(), new Argument<string>("amount") { Description = "How much, \"500.00 USD\"." });
        var id = new Option<string>("--id") { Description = "Your own name for it: the same id gives it once.", Required = true };
        var note = new Option<string?>("--note") { Description = "Why, for the audit trail." };
        var kind = new Option<string?>("--kind") { Description = "paid or promotional. paid, unless said." };
        var priority = new Option<int?>("--priority") { Description = "0 to 1000: the lower, the sooner it is spent. 100, unless said." };
        var valid = new Option<string?>("--valid") { Description = "How long, 90d; what is unused then is removed. For good, unless said." };
        return GatewayAsk.Of("grant", "Give an organisation money that its callers spend when their own is used up.\nExample: turnpike organisations grant \"Acme Corp\" \"500.00 USD\" --id invoice-19 --valid 90d", [name, amount, id, note, kind, priority, valid], AdminJson.Readable.GrantView,
            (gateway, p, ct) => gateway.PostAsync(Path(p.GetValue(name)!, "/grants"), new GrantBody(p.GetValue(id)!, p.GetValue(amount)!, p.GetValue(note), p.GetValue(kind), p.GetValue(priority), Valid: p.GetValue(valid)), AdminJson.Default.GrantBody, AdminJson.Default.GrantView, ct),
            view => [CallerPlanCommands.Line(view)]);
    }

    private static Command Grants()
    {
        var name = Name();
        return GatewayAsk.Of("grants", "An organisation's balance: every grant in the order in which they are spent.\nExample: turnpike organisations grants \"Acme Corp\"", [name], AdminJson.Readable.BalanceView,
            (gateway, p, ct) => gateway.GetAsync(Path(p.GetValue(name)!, "/grants"), AdminJson.Default.BalanceView, ct), CallerPlanCommands.Lines);
    }

    private static Command TakeBack()
    {
        var (name, grant) = (Name(), new Argument<string>("grant") { Description = "The id it was granted under." });
        var reason = new Option<string?>("--reason") { Description = "Why, for the audit trail." };
        return GatewayAsk.Of("take-back", "Take back what is unused of an organisation's grant.\nExample: turnpike organisations take-back \"Acme Corp\" invoice-19 --reason \"not paid\"", [name, grant, reason], AdminJson.Readable.TakenBackView,
            (gateway, p, ct) => gateway.PostAsync(Path(p.GetValue(name)!, $"/grants/{Uri.EscapeDataString(p.GetValue(grant)!)}/take-back"), new ReasonBody(p.GetValue(reason)), AdminJson.Default.ReasonBody, AdminJson.Default.TakenBackView, ct),
            view => [$"{view.Id}  {view.Taken.Amount} {view.Taken.Currency} taken back"]);
    }

    public static Task<int> PutAsync(string config, ConfigEnvironment environment, string name, OrganisationBody body, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var view = await BooksOrGateway.WriteAsync(catalog, async books =>
        {
            var (made, _, denied) = await books.Organisations.PutAsync(catalog, name, body, ct);
            return (made, denied);
        },
            gateway => gateway.SendAsync(HttpMethod.Put, Path(name), body, AdminJson.Default.OrganisationBody, AdminJson.Default.OrganisationView, ct));
        return Tell(view, json, output);
    });

    public static Task<int> ChangeAsync(string config, ConfigEnvironment environment, string name, string verb, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var view = await BooksOrGateway.WriteAsync(catalog, books => verb == "delete" ? books.Organisations.DeleteAsync(catalog, name, ct) : books.Organisations.SuspendAsync(catalog, name, verb == "suspend", ct),
            gateway => gateway.SendAsync(verb == "delete" ? HttpMethod.Delete : HttpMethod.Post, Path(name, verb == "delete" ? "" : "/" + verb), new ReasonBody(), AdminJson.Default.ReasonBody, AdminJson.Default.OrganisationView, ct));
        if (verb != "delete" || json) return Tell(view, json, output);
        output.WriteLine($"{view.Name}  deleted");
        return CommandRun.Done;
    });

    public static Task<int> JoinAsync(string config, ConfigEnvironment environment, string name, string caller, bool joins, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var view = await BooksOrGateway.WriteAsync(catalog, books => books.Organisations.JoinAsync(catalog, name, caller, joins, ct),
            gateway => gateway.SendAsync(joins ? HttpMethod.Put : HttpMethod.Delete, Path(name, $"/members/{Uri.EscapeDataString(caller)}"), new ReasonBody(), AdminJson.Default.ReasonBody, AdminJson.Default.CallerView, ct));
        output.WriteLine(json ? JsonSerializer.Serialize(view, AdminJson.Readable.CallerView) : $"{view.Name}  {(view.Organisation is { } of ? $"belongs to {of}" : "belongs to nobody")}");
        return CommandRun.Done;
    });

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string name, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        return await books.Organisations.FindAsync(catalog, name, ct) is { } view ? Tell(view, json, output) : CommandRun.Say(err, "No organisation has this name.", CommandRun.Refused);
    });

    public static Task<int> ListAsync(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        for (string? after = null; ;)
        {
            var page = await books.Organisations.ListAsync(catalog, after, 500, ct);
            if (json) output.WriteLine(JsonSerializer.Serialize(page, AdminJson.Readable.OrganisationList));
            else foreach (var one in page.Organisations) output.WriteLine($"{one.Name}  {(one.Caps.Count == 0 ? "no caps" : string.Join("; ", one.Caps))}  {(one.Managed == "file" ? "in the file" : "")}".TrimEnd());
            if ((after = page.Next) is null) return CommandRun.Done;
        }
    });

    public static Task<int> MembersAsync(string config, ConfigEnvironment environment, string name, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        for (string? after = null; ;)
        {
            if (await books.Organisations.MembersAsync(catalog, name, after, 500, ct) is not { } page) return CommandRun.Say(err, "No organisation has this name.", CommandRun.Refused);
            if (json) output.WriteLine(JsonSerializer.Serialize(page, AdminJson.Readable.MemberList));
            else foreach (var member in page.Members) output.WriteLine(member);
            if ((after = page.Next) is null) return CommandRun.Done;
        }
    });

    private static string Path(string name, string rest = "") => $"organisations/{Uri.EscapeDataString(name)}{rest}";

    private static int Tell(OrganisationView view, bool json, TextWriter output)
    {
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.OrganisationView));
        else
        {
            output.WriteLine($"organisation  {view.Name}{(view.Managed == "file" ? ", in the file" : "")}{(view.Status == "active" ? "" : ", " + view.Status)}");
            foreach (var cap in view.Caps) output.WriteLine($"cap           {cap}");
            foreach (var used in view.Spent ?? []) output.WriteLine($"spent         {used.Cap}  {used.Used.Amount} of {used.Limit.Amount} {used.Limit.Currency}{(used.ResetAt is { } reset ? $", anew at {reset:u}" : "")}");
            foreach (var money in view.Available ?? []) output.WriteLine($"balance       {money.Amount} {money.Currency}");
            if (view.Note is { } note) output.WriteLine($"note          {note}");
        }
        return CommandRun.Done;
    }
}
