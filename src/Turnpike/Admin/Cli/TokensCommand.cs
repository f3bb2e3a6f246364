using System.CommandLine;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Payments;
using Turnpike.Storage;
using Turnpike.Tokens;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike tokens issue|show|rotate|freeze|unfreeze|revoke|transfer|own|purchases|refund</c>. Beside a running gateway, writing goes through its Admin API.</summary>
internal static class TokensCommand
{
    public static Command Create() => new("tokens", "Prepaid tokens: a budget an agent can spend, and no more.") 
    {
        Issue(),
        Show(),
        Rotate(),
        Transfer(),
        Own(),
        Accounts.PurchasesCommand.List(),
        Accounts.PurchasesCommand.Refund(),
        Status("freeze", TokenStatus.Frozen, "Freeze a token, and what took its place, until it is unfrozen.\nExample: turnpike tokens freeze tp_… --reason \"disputed\""),
        Status("unfreeze", TokenStatus.Active, "Let a frozen token buy again.\nExample: turnpike tokens unfreeze tp_…"),
        Status("revoke", TokenStatus.Revoked, "Revoke a token, for good, from the next call on.\nExample: turnpike tokens revoke tp_… --reason \"leaked\""),
    };

    private static Command Issue()
    {
        var budget = new Option<string>("--budget") { Description = "What it may spend in all, \"5.00 USD\".", Required = true };
        var calls = new Option<long?>("--calls") { Description = "How many calls it may make; as many as the budget pays, unless said." };
        var perCall = new Option<string?>("--per-call") { Description = "The most one call may cost, \"0.10 USD\"." };
        var operation = new Option<string[]>("--operation") { Description = "An operation it opens; may be given again. All, unless said." };
        var valid = new Option<string?>("--valid") { Description = "How long, 30d. For good, unless said." };
        var rate = new Option<string?>("--rate") { Description = "How fast it may be used, \"5 requests per 1m\"." };
        var bound = new Option<string[]>("--bound-to") { Description = "Who has to sign every request that presents it: jkt:THUMBPRINT, an agent's address, wallet:0x…; may be given again. Then a stolen token is useless." };
        var caps = new Option<string[]>("--cap") { Description = "The most it may spend, \"1.00 USD per 1d\" or \"0.50 USD each task\"; may be given again." };
        var series = new Option<string?>("--series") { Description = "Makes it a standing grant, exchanged for tokens that live so long and spend at most so much: \"15m 1.00 USD\"." };
        var owner = new Option<string?>("--owner") { Description = "Whose it is: money may be moved between tokens of one owner." };
        var note = new Option<string?>("--note") { Description = "Your own words, for lists and the audit trail." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("issue", "Issue a token: its text alone goes to standard output, facts to standard error.\nExample: TOKEN=$(turnpike tokens issue --budget \"5.00 USD\" --operation forecast --valid 30d)") { budget, calls, perCall, operation, rate, valid, bound, caps, series, owner, note, config, json };
        command.SetAction((p, ct) =>
        {
            var names = p.GetValue(operation) ?? [];
            var body = new TokenBody(p.GetValue(budget)!, p.GetValue(calls), p.GetValue(perCall), names.Length == 0 ? null : names, Rate(p.GetValue(rate)), p.GetValue(valid), p.GetValue(note), p.GetValue(bound), p.GetValue(caps), Series(p.GetValue(series)), p.GetValue(owner));
            return IssueAsync(p.GetValue(config)!, ConfigEnvironment.Process, body, p.GetValue(json), Console.Out, Console.Error, ct);
        });
        return command;
    }

    private static Command Show()
    {
        var id = new Argument<string>("token") { Description = "Its id, or its text." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("show", "Show a token: its text, its rules, and what is left of it.\nExample: turnpike tokens show tp_…") { id, config, json };
        command.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Transfer()
    {
        var (from, to) = (new Argument<string>("from") { Description = "The id of the token that gives." }, new Argument<string>("to") { Description = "The id of the token that receives; both are one owner's." });
        var (amount, key) = (new Argument<string>("amount") { Description = "How much, \"1.00 USD\"." }, new Option<string>("--id") { Description = "Your own name for it: the same id moves it once.", Required = true });
        return GatewayAsk.Of("transfer", "Move money between two tokens of one owner.\nExample: turnpike tokens transfer 0ab… 0cd… \"1.00 USD\" --id case-7", [from, to, amount, key], AdminJson.Readable.TokenView,
            (gateway, p, ct) => gateway.PostAsync($"tokens/{Uri.EscapeDataString(p.GetValue(from)!)}/transfer", new HandoverBody(p.GetValue(to), p.GetValue(amount)), AdminJson.Default.HandoverBody, AdminJson.Default.TokenView, ct, p.GetValue(key)),
            view => [$"{view.Id}  {view.Left.Amount} {view.Left.Currency} left"]);
    }

    private static Command Own()
    {
        var (id, owner) = (new Argument<string>("id") { Description = "The token's id." }, new Argument<string?>("owner") { Description = "Whose it is; left out: nobody's but its own.", Arity = ArgumentArity.ZeroOrOne });
        return GatewayAsk.Of("own", "Say whose a token is: money may be moved between tokens of one owner.\nExample: turnpike tokens own 0ab… acme", [id, owner], AdminJson.Readable.TokenView,
            (gateway, p, ct) => gateway.SendAsync(HttpMethod.Put, $"tokens/{Uri.EscapeDataString(p.GetValue(id)!)}/owner", new OwnerBody(p.GetValue(owner)), AdminJson.Default.OwnerBody, AdminJson.Default.TokenView, ct),
            view => [$"{view.Id}  {view.Owner ?? "nobody's"}"]);
    }

    private static Command Rotate()
    {
        var (id, reason) = Which();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("rotate", "Put a new token in the place of one that may have got into wrong hands: its text alone goes to standard output.\nExample: TOKEN=$(turnpike tokens rotate tp_… --reason \"seen in a log\")") { id, reason, config, json };
        command.SetAction((p, ct) => RotateAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(reason), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Status(string verb, TokenStatus status, string description)
    {
        var (id, reason) = Which();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command(verb, description) { id, reason, config, json };
        command.SetAction((p, ct) => SetStatusAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, verb, status, p.GetValue(reason), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static (Argument<string> Id, Option<string?> Reason) Which() => (new("token") { Description = "Its id, or its text." }, new("--reason") { Description = "Why, for the audit trail." });

    public static Task<int> IssueAsync(string config, ConfigEnvironment environment, TokenBody body, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var (order, error) = TokenOrders.Read(body, catalog);
        if (order is null) return CommandRun.Say(err, error, CommandRun.WrongInput);
        var text = Text(catalog);
        TokenView view;
        try
        {
            using var books = CommandBooks.Write(catalog);
            var token = await books.Desk.IssueAsync(order, "external:owner", ct: ct);
            view = await TokenView.OfAsync(token, books.Desk, text.Of(token.Id), TimeProvider.System.GetUtcNow(), ct);
        }
        catch (StorageInUseException)
        {
            using var gateway = AdminClient.For(catalog.Gateway);
            view = await gateway.PostAsync("tokens", body, AdminJson.Default.TokenBody, AdminJson.Default.TokenView, ct);
        }
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.TokenView));
        else
        {
            Tell(view with { Token = null }, err);
            output.WriteLine(view.Token);
        }
        return CommandRun.Done;
    });

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string which, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var text = Text(catalog);
        using var books = CommandBooks.Look(catalog);
        if (await books.Desk.FindAsync(IdOf(which, text), ct) is not { } token) return CommandRun.Say(err, "No token has this id.", CommandRun.Refused);
        var view = await TokenView.OfAsync(token, books.Desk, text.Of(token.Id), TimeProvider.System.GetUtcNow(), ct);
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.TokenView));
        else Tell(view, output);
        return CommandRun.Done;
    });

    public static Task<int> RotateAsync(string config, ConfigEnvironment environment, string which, string? reason, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var text = Text(catalog);
        var id = IdOf(which, text);
        TokenView view;
        try
        {
            using var books = CommandBooks.Write(catalog);
            if (await books.Desk.FindAsync(id, ct) is not { } old) return CommandRun.Say(err, "No token has this id.", CommandRun.Refused);
            if (await books.Desk.SucceedAsync(old, reason ?? "by an operator", ct) is not { } next) return CommandRun.Say(err, "The token may not be spent, so nothing takes its place: unfreeze it first; what is revoked stays so.", CommandRun.Refused);
            view = await TokenView.OfAsync(next, books.Desk, text.Of(next.Id), TimeProvider.System.GetUtcNow(), ct);
        }
        catch (StorageInUseException)
        {
            using var gateway = AdminClient.For(catalog.Gateway);
            view = await gateway.PostAsync($"tokens/{Uri.EscapeDataString(id)}/rotate", new ReasonBody(reason), AdminJson.Default.ReasonBody, AdminJson.Default.TokenView, ct);
        }
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.TokenView));
        else
        {
            Tell(view with { Token = null }, err);
            output.WriteLine(view.Token);
        }
        return CommandRun.Done;
    });

    public static Task<int> SetStatusAsync(string config, ConfigEnvironment environment, string which, string verb, TokenStatus status, string? reason, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        var id = IdOf(which, Text(catalog));
        TokenView view;
        try
        {
            using var books = CommandBooks.Write(catalog);
            if (await books.Desk.FindAsync(id, ct) is not { } before) return CommandRun.Say(err, "No token has this id.", CommandRun.Refused);
            if (before.Status != status && !await books.Desk.SetStatusAsync(id, status, reason ?? "by an operator", ct)) return CommandRun.Say(err, "The token is revoked, which is final.", CommandRun.Refused);
            view = await TokenView.OfAsync((await books.Desk.FindAsync(id, ct))!, books.Desk, null, TimeProvider.System.GetUtcNow(), ct);
        }
        catch (StorageInUseException)
        {
            using var gateway = AdminClient.For(catalog.Gateway);
            view = await gateway.PostAsync($"tokens/{Uri.EscapeDataString(id)}/{verb}", new ReasonBody(reason), AdminJson.Default.ReasonBody, AdminJson.Default.TokenView, ct);
        }
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.TokenView));
        else Tell(view, output);
        return CommandRun.Done;
    });

    /// <summary><c>5 requests per 1m</c>; what is not of this form is refused with the order.</summary>
    public static RateView? Rate(string? text) => text is null ? null : text.Split(" per ", StringSplitOptions.TrimEntries) is [var amount, var per] ? new RateView(amount, per) : new RateView(text, "");

    /// <summary><c>15m 1.00 USD</c>.</summary>
    public static SeriesView? Series(string? text) => text?.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries) is { } words ? new SeriesView(words[0], words.ElementAtOrDefault(1)) : null;

    private static TokenText Text(ServiceCatalog catalog) =>
        catalog.Settings.Get<PaymentSettings>()?.Prepaid?.Text ?? throw new AdminRefusal("Prepaid tokens are not configured: set payments.prepaid.", CommandRun.WrongInput);

    private static string IdOf(string which, TokenText text)
    {
        if (!which.StartsWith("tp_", StringComparison.Ordinal)) return which;
        var reading = text.Read(which);
        return reading.Id ?? throw new AdminRefusal($"The token is refused: {reading.Error}.", CommandRun.WrongInput);
    }

    private static void Tell(TokenView view, TextWriter to)
    {
        if (view.Token is { } text) to.WriteLine($"token     {text}");
        to.WriteLine($"id        {view.Id}");
        to.WriteLine($"status    {view.Status}{(view.ReplacedBy is { } next ? $", replaced by {next}" : "")}");
        to.WriteLine($"budget    {view.Budget.Amount} {view.Budget.Currency}, {view.Left.Amount} {view.Left.Currency} left");
        if (view.Calls is { } calls) to.WriteLine($"calls     {calls}, {view.CallsLeft} left");
        if (view.PerCall is { } cap) to.WriteLine($"per call  {cap.Amount} {cap.Currency} at most");
        to.WriteLine($"opens     {(view.Operations.Count == 0 ? "every operation" : string.Join(", ", view.Operations))}");
        if (view.Rate is { } rate) to.WriteLine($"rate      {rate.Amount} per {rate.Per}");
        if (view.Caps.Count > 0) to.WriteLine($"caps      {string.Join(", ", view.Caps)}");
        if (view.Series is { } series) to.WriteLine($"series    each valid {series.Valid}, at most {series.Most}");
        if (view.Owner is { } owner) to.WriteLine($"owner     {owner}");
        if (view.BoundTo.Count > 0) to.WriteLine($"bound to  {string.Join(", ", view.BoundTo)}");
        to.WriteLine($"expires   {view.Expires?.ToString("u", System.Globalization.CultureInfo.InvariantCulture) ?? "never"}");
        if (view.Note is { } note) to.WriteLine($"note      {note}");
    }
}
