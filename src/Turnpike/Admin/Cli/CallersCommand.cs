using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Turnpike.Admin.Callers;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Storage;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike callers create|show|list|suspend|resume|close|key|roll|text|revoke</c>. Beside a running gateway, writing goes through its Admin API.</summary>
internal static class CallersCommand
{
    public static Command Create() => new("callers", "Callers: who may ask, and the keys that say so.")
    {
        CreateCaller(), Show(), List(),
        Status("suspend", CallerStatus.Suspended, "Serve a caller no more, until it is resumed."),
        Status("resume", CallerStatus.Active, "Serve a suspended caller again."),
        Status("close", CallerStatus.Closed, "Close a caller, for good."),
        CallerPlanCommands.Plan(), CallerPlanCommands.Left(), CallerPlanCommands.Grant(), CallerPlanCommands.Grants(), CallerPlanCommands.TakeBack(),
        Key(), Roll(), Text(), Revoke(),
    };

    private static Argument<string> Name() => new("name") { Description = "The caller's name." };

    private static Command CreateCaller()
    {
        var name = Name();
        var plan = new Option<string?>("--plan") { Description = "The plan it has bought." };
        var scope = new Option<string[]>("--scope") { Description = "What it may do; may be given again." };
        var role = new Option<string[]>("--role") { Description = "A role it has; may be given again." };
        var group = new Option<string[]>("--group") { Description = "A group it belongs to; may be given again." };
        var organisation = new Option<string?>("--organisation") { Description = "Whom it belongs to." };
        var other = new Option<string?>("--on-behalf-of") { Description = "For whom it acts." };
        var words = new Option<string[]>("--metadata") { Description = "Your own words about it, name=value; may be given again." };
        var caps = new Option<string[]>("--cap") { Description = "The most it may spend, \"500.00 USD per 1mo\" or \"5.00 USD each task\"; may be given again." };
        var limits = new Option<string[]>("--limit") { Description = "How much it may take in how long, \"100 requests per 1m\", or in JSON as the Admin API takes it; may be given again." };
        var signers = new Option<string[]>("--signs-as") { Description = "Who signs requests in its name: an agent's address, wallet:0x…, tap:KEY or jkt:THUMBPRINT; may be given again." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("create", "Create a caller, or replace what is said of it.\nExample: turnpike callers create agent-1 --plan pro --scope companies:read --cap \"500.00 USD per 1mo\"") { name, plan, scope, role, group, organisation, other, words, caps, limits, signers, config, json };
        command.SetAction((p, ct) =>
        {
            if (p.GetValue(words)!.FirstOrDefault(w => w.IndexOf('=', StringComparison.Ordinal) < 1) is { } wordless) return Task.FromResult(CommandRun.Say(Console.Error, $"--metadata: '{wordless}' is no name=value.", CommandRun.WrongInput));
            var metadata = p.GetValue(words)!.Select(w => w.Split('=', 2)).DistinctBy(w => w[0]).ToDictionary(w => w[0], w => w[1]);
            var body = new CallerBody(p.GetValue(plan), p.GetValue(scope), p.GetValue(role), p.GetValue(group), p.GetValue(organisation), p.GetValue(other), metadata, Caps: p.GetValue(caps), Limits: LimitText.Read(p.GetValue(limits)!), SignsAs: p.GetValue(signers));
            return PutAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, body, p.GetValue(json), Console.Out, Console.Error, ct);
        });
        return command;
    }

    private static Command Show()
    {
        var name = Name();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("show", "Show a caller and its keys, without their texts.\nExample: turnpike callers show agent-1") { name, config, json };
        command.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command List()
    {
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("list", "List callers by name, those of the file among them.\nExample: turnpike callers list") { config, json };
        command.SetAction((p, ct) => ListAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Status(string verb, CallerStatus status, string says)
    {
        var name = Name();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command(verb, $"{says}\nExample: turnpike callers {verb} agent-1") { name, config, json };
        command.SetAction((p, ct) => SetStatusAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, verb, status, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Key()
    {
        var (name, valid, scope, operation, method, model, bound) = (Name(), Valid(), Scope(), Operation(), Method(), Model(), BoundTo());
        var again = Retrievable();
        var hash = new Option<string?>("--hash") { Description = "A key made elsewhere: sha256:<64 hex digits>. Without, one is made." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("key", "Make a key for a caller: its text alone goes to standard output, and is told this once.\nExample: KEY=$(turnpike callers key agent-1 --valid 90d)") { name, valid, scope, operation, method, model, bound, hash, again, config, json };
        command.SetAction((p, ct) =>
        {
            var body = new KeyBody(p.GetValue(valid), p.GetValue(scope), p.GetValue(operation), p.GetValue(method), p.GetValue(model), p.GetValue(hash), p.GetValue(bound), p.GetValue(again) ? true : null);
            return KeyAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, body, p.GetValue(json), Console.Out, Console.Error, ct);
        });
        return command;
    }

    private static Command Roll()
    {
        var (name, valid, scope, operation, method, model, bound) = (Name(), Valid(), Scope(), Operation(), Method(), Model(), BoundTo());
        var again = Retrievable();
        var overlap = new Option<string?>("--overlap") { Description = "How long the keys before it go on, 1d. Not at all, unless said." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("roll", "Make a key for a caller and end all others after an overlap.\nExample: KEY=$(turnpike callers roll agent-1 --overlap 1d)") { name, overlap, valid, scope, operation, method, model, bound, again, config, json };
        command.SetAction((p, ct) =>
        {
            var body = new RollBody(p.GetValue(overlap), p.GetValue(valid), p.GetValue(scope), p.GetValue(operation), p.GetValue(method), p.GetValue(model), p.GetValue(bound), p.GetValue(again) ? true : null);
            return RollAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, body, p.GetValue(json), Console.Out, Console.Error, ct);
        });
        return command;
    }

    private static Command Revoke()
    {
        var id = new Argument<string>("key") { Description = "The key's id." };
        var reason = new Option<string?>("--reason") { Description = "Why, for the audit trail." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("revoke", "Revoke a key, for good, from the next call on.\nExample: turnpike callers revoke k_… --reason \"leaked\"") { id, reason, config, json };
        command.SetAction((p, ct) => RevokeAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(reason), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Text()
    {
        var id = new Argument<string>("key") { Description = "The key's id." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("text", "Show the text of a key that was made with --retrievable; it is in the trail.\nExample: KEY=$(turnpike callers text k_…)") { id, config, json };
        command.SetAction((p, ct) => TextAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Option<bool> Retrievable() => new("--retrievable") { Description = "Its text may be shown again; needs identity.retrievable-keys." };

    private static Option<string?> Valid() => new("--valid") { Description = "How long, 90d. For good, unless said." };

    private static Option<string[]> Scope() => new("--scope") { Description = "As many of the caller's scopes as the key has; may be given again. All, unless said." };

    private static Option<string[]> Operation() => new("--operation") { Description = "An operation it opens; may be given again. All, unless said." };

    private static Option<string[]> Method() => new("--method") { Description = "A method it may be used with; may be given again. All, unless said." };

    private static Option<string[]> Model() => new("--model") { Description = "A model its requests may name; may be given again. All, unless said." };

    private static Option<string[]> BoundTo() => new("--bound-to") { Description = "Who has to sign every request that presents it: jkt:THUMBPRINT, an agent's address, wallet:0x…; may be given again." };

    public static Task<int> PutAsync(string config, ConfigEnvironment environment, string name, CallerBody body, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var view = await WriteAsync(catalog, async register =>
        {
            var (made, _, denied) = await register.PutAsync(catalog, name, body, ct);
            return (made, denied);
        },
            gateway => gateway.SendAsync(HttpMethod.Put, $"callers/{Uri.EscapeDataString(name)}", body, AdminJson.Default.CallerBody, AdminJson.Default.CallerView, ct));
        return Tell(view, json, output);
    });

    public static Task<int> SetStatusAsync(string config, ConfigEnvironment environment, string name, string verb, CallerStatus status, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var view = await WriteAsync(catalog, register => register.SetStatusAsync(catalog, name, status, ct),
            gateway => gateway.PostAsync($"callers/{Uri.EscapeDataString(name)}/{verb}", new ReasonBody(), AdminJson.Default.ReasonBody, AdminJson.Default.CallerView, ct));
        return Tell(view, json, output);
    });

    public static Task<int> KeyAsync(string config, ConfigEnvironment environment, string name, KeyBody body, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
        Tell(await WriteAsync(catalog, register => register.AddKeyAsync(catalog, name, body, ct),
            gateway => gateway.PostAsync($"callers/{Uri.EscapeDataString(name)}/keys", body, AdminJson.Default.KeyBody, AdminJson.Default.KeyView, ct)), json, output, err));

    public static Task<int> RollAsync(string config, ConfigEnvironment environment, string name, RollBody body, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
        Tell(await WriteAsync(catalog, register => register.RollAsync(catalog, name, body, ct),
            gateway => gateway.PostAsync($"callers/{Uri.EscapeDataString(name)}/keys/roll", body, AdminJson.Default.RollBody, AdminJson.Default.KeyView, ct)), json, output, err));

    public static Task<int> TextAsync(string config, ConfigEnvironment environment, string id, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
        Tell(await WriteAsync(catalog, register => register.ShowAsync(catalog, id, ct),
            gateway => gateway.PostAsync($"callers/-/keys/{Uri.EscapeDataString(id)}/show", new ReasonBody(), AdminJson.Default.ReasonBody, AdminJson.Default.KeyView, ct)), json, output, err));

    public static Task<int> RevokeAsync(string config, ConfigEnvironment environment, string id, string? reason, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
        Tell(await WriteAsync(catalog, register => register.RevokeAsync(id, reason ?? "by an operator", ct),
            gateway => gateway.PostAsync($"callers/-/keys/{Uri.EscapeDataString(id)}/revoke", new ReasonBody(reason), AdminJson.Default.ReasonBody, AdminJson.Default.KeyView, ct)), json, output, err));

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string name, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        return await books.Callers.FindAsync(catalog, name, ct) is { } view ? Tell(view, json, output) : CommandRun.Say(err, "No caller has this name.", CommandRun.Refused);
    });

    public static Task<int> ListAsync(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        for (string? after = null; ;)
        {
            var page = await books.Callers.ListAsync(catalog, after, 500, ct);
            if (json) output.WriteLine(JsonSerializer.Serialize(page, AdminJson.Readable.CallerList));
            else foreach (var caller in page.Callers) output.WriteLine($"{caller.Name}  {caller.Status}  {caller.Plan ?? "no plan"}  {(caller.Managed == "file" ? "in the file" : "")}".TrimEnd());
            if ((after = page.Next) is null) return CommandRun.Done;
        }
    });

    private static Task<T> WriteAsync<T>(ServiceCatalog catalog, Func<CallerRegister, ValueTask<(T? View, Denial? Denied)>> here, Func<AdminClient, Task<T>> there) where T : class =>
        BooksOrGateway.WriteAsync(catalog, books => here(books.Callers), there);

    private static int Tell(CallerView view, bool json, TextWriter output)
    {
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.CallerView));
        else
        {
            output.WriteLine($"caller    {view.Name}{(view.Managed == "file" ? ", in the file" : "")}");
            output.WriteLine($"status    {view.Status}");
            output.WriteLine($"plan      {view.Plan ?? "none"}");
            if (view.Scopes.Count > 0) output.WriteLine($"scopes    {string.Join(", ", view.Scopes)}");
            if (view.Organisation is { } owner) output.WriteLine($"owner     {owner}");
            if (view.OnBehalfOf is { } other) output.WriteLine($"acts for  {other}");
            foreach (var limit in view.Limits) output.WriteLine($"limit     {LimitText.Tell(limit)}");
            foreach (var signer in view.SignsAs) output.WriteLine($"signs as  {signer}");
            foreach (var (word, text) in view.Metadata) output.WriteLine($"metadata  {word}={text}");
            foreach (var key in view.Keys) output.WriteLine($"key       {key.Id}  {key.Hint}  {key.Status}  {(key.Expires is { } end ? "until " + end.ToString("u", System.Globalization.CultureInfo.InvariantCulture) : "")}".TrimEnd());
        }
        return CommandRun.Done;
    }

    private static int Tell(KeyView view, bool json, TextWriter output, TextWriter err)
    {
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.KeyView));
        else
        {
            err.WriteLine($"id        {view.Id}");
            err.WriteLine($"caller    {view.Caller}");
            err.WriteLine($"status    {view.Status}");
            err.WriteLine($"expires   {view.Expires?.ToString("u", System.Globalization.CultureInfo.InvariantCulture) ?? "never"}");
            if (view.Key is { } text) output.WriteLine(text);
        }
        return CommandRun.Done;
    }
}
