using Turnpike.Catalog.Document;
using Turnpike.Protocols.Http;

namespace Turnpike.Catalog.Loading;

/// <summary>One operation: the Catalog's own keys, and the keys of other slices.</summary>
internal sealed class OperationSection
{
    private static readonly Shape<RequestMatch> MatchText = new ScalarShape<RequestMatch>("METHOD /path/{name}",
        (string t, out RequestMatch? v) => RequestMatch.Parse(t, out v), "^[A-Z]+ +/[^ ]*$");

    private static readonly Shape<string> AcceptName = new ScalarShape<string>("a protocol or method such as x402 or mpp.stripe",
        (string t, out string? v) => (v = t).Length is > 0 and <= 64 && t.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-') ? null : "is no name of a protocol or method");

    private static readonly Key<RequestMatch> Match = new("match", MatchText, "Method and path below the service's host and prefix; {name} is one segment, a last {**rest} all that follow. GET also takes HEAD.") { Required = true, Example = "GET /forecast/{city}" };
    private static readonly Key<string> Description = new("description", Shapes.Text, "What a caller gets, for terms and discovery.") { Default = "none", Example = "Seven-day forecast for one city" };
    private static readonly Key<IdentityRule> Identity = new("identity", new ChoiceShape<IdentityRule>(("optional", IdentityRule.Optional), ("required", IdentityRule.Required), ("upstream", IdentityRule.Upstream)), "Must a caller say who it is? Without: 401 and no terms; upstream leaves the check to the upstream, whose 401 becomes our 402.") { Default = "optional", Example = "required" };
    private static readonly Key<IReadOnlyList<string>> Accept = new("accept", new ListShape<string>(AcceptName, least: 1), "Protocols (x402, mpp, prepaid, plan) or methods (x402.exact, mpp.evm, mpp.stripe), in order of preference.") { Default = "everything configured", Example = "[prepaid, x402]" };
    private static readonly Key<SettleMoment> Settle = new("settle", new ChoiceShape<SettleMoment>(("after", SettleMoment.After), ("before", SettleMoment.Before)), "Collect when the upstream answered 2xx, or before it is asked: for costly upstreams. Stripe always collects before.") { Default = "after", Example = "before" };

    private static readonly Shape<ChargeRule> ChargeWord = new ConvertedShape<ChargeMoment, ChargeRule>(new ChoiceShape<ChargeMoment>(("success", ChargeMoment.Success), ("accepted", ChargeMoment.Accepted), ("first-byte", ChargeMoment.FirstByte), ("complete", ChargeMoment.Complete)), on => new ChargeRule(on));
    private static readonly Key<JsonPath> Outcome = new("outcome", new ScalarShape<JsonPath>("a path such as $.status", (string t, out JsonPath? v) => (v = JsonPath.Parse(t, out var wrong)) is null ? wrong : null, @"^\$"), "Where a JSON answer says how it went; read before it leaves, up to 8 MB.") { Required = true, Example = "$.status" };
    private static readonly Key<IReadOnlyList<string>> Is = new("is", new ListShape<string>(Shapes.Text, least: 1), "What it says there when it went well.") { Required = true, Example = "[succeeded]" };
    private static readonly Key<ChargeRule> ChargeOn = new("charge-on", new ShortOrMapShape<ChargeRule>(ChargeWord, new MapShape<ChargeRule>([Outcome, Is], m => new ChargeRule(ChargeMoment.Outcome, m.Get(Outcome), m.Get(Is)))), "When the price is owed for good. success: a 2xx answer has passed, or its caller left. accepted: the upstream answered, with whatever status. first-byte: a 2xx answer has begun. complete: it has passed, and its caller was there. A map: the answer says that it went well; else it costs nothing.") { Default = "success", Example = "{ outcome: $.status, is: [succeeded] }" };

    private readonly IReadOnlyList<Key> others;

    public OperationSection(IEnumerable<Section> sections)
    {
        others = [.. sections.Where(s => s.Scope == Scope.Operation).Select(s => s.Key)];
        Shape = new MapShape<Operation>([Match, Description, .. others, Accept, Identity, Settle, ChargeOn], Build, patient: true);
        OfWrapped = [.. others.Select(k => k.Optional("said by each operation")), Accept, Identity, Settle, ChargeOn];
    }

    public Shape<Operation> Shape { get; }

    /// <summary>The keys a wrapped service carries itself, because it is its only operation.</summary>
    public IReadOnlyList<Key> OfWrapped { get; }

    /// <summary>The one operation of a wrapped service: every method and path below <c>/g/{name}</c>.</summary>
    public Operation BuildWrapped(MapValues m)
    {
        foreach (var (key, optional) in others.Zip(OfWrapped))
            if (key.Required && !m.IsWritten(optional)) m.Miss(key);
        return Build(m, new RequestMatch(Operation.AnyMethod, PathPattern.Parse("/{**rest}", out _)!), OfWrapped.Take(others.Count));
    }

    /// <summary>Null for a name that may stand in a URL, else why not.</summary>
    public static string? CheckName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? null : "a name is 1 to 64 letters, digits, '-' and '_'";

    private Operation? Build(MapValues m) => m.Get(Match) is { } match ? Build(m, match, others) with { Description = m.Get(Description) } : null;

    private static Operation Build(MapValues m, RequestMatch match, IEnumerable<Key> settings) => new()
    {
        Service = "",
        Name = m.At.Name,
        Method = match.Method,
        Path = match.Path,
        Identity = m.Get(Identity),
        Accept = m.Get(Accept, []),
        Settle = m.Get(Settle),
        ChargeOn = m.Get(ChargeOn) ?? ChargeRule.Success,
        Settings = new SettingsBag(settings.Select(m.GetAny).OfType<object>()),
    };
}

/// <summary>Method and path of an operation, <c>GET /forecast/{city}</c>.</summary>
internal sealed record RequestMatch(string Method, PathPattern Path)
{
    /// <summary>Null when understood, else why not.</summary>
    public static string? Parse(string text, out RequestMatch? match)
    {
        match = null;
        if (text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var method, var path]) return "is not METHOD /path";
        if (!method.All(char.IsAsciiLetterUpper)) return "does not begin with a method in capitals";
        if (method is "CONNECT" or "TRACE") return "names a method that is never forwarded";
        if (PathPattern.Parse(path, out var wrong) is not { } pattern) return $"is no match: {wrong}";
        match = new RequestMatch(method, pattern);
        return null;
    }
}
