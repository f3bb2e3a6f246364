using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Identity;

/// <summary>The <c>callers:</c> section.</summary>
internal static class CallerSection
{
    private static readonly Shape<string> Scope = new ScalarShape<string>("a scope such as companies:read", (string t, out string? v) => Scopes.IsScope(v = t) ? null : "is no scope; write one word of printable ASCII", "^[!#-\\[\\]-~]+$");
    private static readonly Shape<string> Method = new ScalarShape<string>("a method such as GET", (string t, out string? v) => (v = t).Length is > 0 and <= 16 && t.All(char.IsAsciiLetterUpper) ? null : "is no method in capitals", "^[A-Z]+$");
    private static readonly Shape<string> Named = new ScalarShape<string>("a name of printable ASCII", (string t, out string? v) => (v = t).Length is > 0 and <= 128 && t.All(c => c is >= ' ' and <= '~') ? null : "is no name; write at most 128 characters of printable ASCII");
    private static readonly Shape<DateTimeOffset> Moment = new ScalarShape<DateTimeOffset>("a date or a moment such as 2027-01-31 or 2027-01-31T12:00:00Z",
        (string t, out DateTimeOffset v) => DateTimeOffset.TryParseExact(t, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out v) ? null : "is no date; write 2027-01-31 or 2027-01-31T12:00:00Z");

    private static readonly Key<FileKey> KeyText = new("key", new KeyShape(), "The key itself by reference, or its SHA-256 as sha256:<64 hex digits>.") { Required = true, Example = "${env:AGENT_KEY}" };
    private static readonly Key<DateTimeOffset> Expires = new("expires", Moment, "From then on it is 401.") { Default = "never", Example = "2027-01-31" };
    private static readonly Key<IReadOnlyList<string>> KeyScopes = new("scopes", new ListShape<string>(Scope, least: 1), "As many of the caller's scopes as this key has.") { Default = "all of the caller's", Example = "[companies:read]" };
    private static readonly Key<IReadOnlyList<string>> KeyOperations = new("operations", new ListShape<string>(Shapes.Text, least: 1), "The operations it opens.") { Default = "all", Example = "[search]" };
    private static readonly Key<IReadOnlyList<string>> KeyMethods = new("methods", new ListShape<string>(Method, least: 1), "The methods it may be used with.") { Default = "all", Example = "[GET]" };
    private static readonly Key<IReadOnlyList<string>> KeyModels = new("models", new ListShape<string>(Shapes.Text, least: 1), "The models its requests may name.") { Default = "all", Example = "[gpt-4o-mini]" };

    private static readonly Key<IReadOnlyList<string>> BoundTo = new("bound-to", new ListShape<string>(SignerName.Shape, least: 1), "Who has to sign every request that presents it, by DPoP or message signature: then a stolen key is useless.") { Default = "nobody", Example = "[\"jkt:poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U\"]" };

    private static readonly Shape<FileKey> KeyInFull = new MapShape<FileKey>([KeyText, Expires, KeyScopes, KeyOperations, KeyMethods, KeyModels, BoundTo], m => m.Get(KeyText)! with
    {
        Expires = m.IsWritten(Expires) ? m.Get(Expires) : null,
        Rules = new CredentialRules { Scopes = m.Get(KeyScopes, []), Operations = m.Get(KeyOperations, []), Methods = m.Get(KeyMethods, []), Models = m.Get(KeyModels, []), BoundTo = m.Get(BoundTo, []) },
    });

    private static readonly Key<IReadOnlyList<FileKey>> Keys = new("keys", new ListShape<FileKey>(new ShortOrMapShape<FileKey>(new KeyShape(), KeyInFull)), "What it presents to prove who it is: keys by reference, or their hashes.") { Default = "none", Example = "[\"${env:AGENT_KEY}\"]" };
    private static readonly Key<IReadOnlyList<string>> SignsAs = new("signs-as", new ListShape<string>(SignerName.Shape, least: 1), "Who signs requests in its name: an agent's address, wallet:0x…, tap:KEY or jkt:THUMBPRINT.") { Default = "nobody", Example = "[\"https://agent.example.com\"]" };
    private static readonly Key<string> Plan = new("plan", Named, "The plan it has bought, one of plans.") { Default = "none", Example = "pro" };
    private static readonly Key<DateTimeOffset> PlanUntil = new("plan-until", Moment, "When that plan ends: a trial, or what was paid for.") { Default = "never", Example = "2027-01-31" };
    private static readonly Key<TimeSpan> PlanGrace = new("plan-grace", Shapes.Duration, "How much longer it is served all the same.") { Default = "not at all", Example = "3d" };
    private static readonly Key<string> PlanThen = new("plan-then", Named, "The plan that comes then.") { Default = "none", Example = "free" };
    private static readonly Key<string> Organisation = new("organisation", Named, "Whom it belongs to.") { Default = "nobody", Example = "Acme Corp" };
    private static readonly Key<string> OnBehalfOf = new("on-behalf-of", Named, "For whom it acts, when that is somebody else.") { Default = "itself", Example = "acme-corp" };
    private static readonly Key<IReadOnlyList<string>> Groups = new("groups", new ListShape<string>(Named), "Groups it belongs to.") { Default = "none", Example = "[partners]" };
    private static readonly Key<IReadOnlyList<string>> Roles = new("roles", new ListShape<string>(Named), "Roles it has; 'roles' of an operation ask for them.") { Default = "none", Example = "[auditor]" };
    private static readonly Key<IReadOnlyList<string>> ScopesOf = new("scopes", new ListShape<string>(Scope), "What it may do; 'scopes' of an operation ask for them.") { Default = "none", Example = "[companies:read]" };
    private static readonly Key<IReadOnlyList<KeyValuePair<string, string>>> Metadata = new("metadata", new NamedShape<string>("words by name", "name", OperationSection.CheckName, Shapes.Text), "Your own words about it; limits may be for callers of whom they are written.") { Default = "none", Example = "{ owner: acme-corp }" };
    private static readonly Key<CallerStatus> Status = new("status", new ChoiceShape<CallerStatus>(("active", CallerStatus.Active), ("suspended", CallerStatus.Suspended), ("closed", CallerStatus.Closed)), "Is it served? Others are 403.") { Default = "active", Example = "suspended" };

    /// <summary>The section, with the keys of a caller that other slices own.</summary>
    public static Section With(params IReadOnlyList<Key> others)
    {
        var one = new MapShape<FileCaller>([Plan, PlanUntil, PlanGrace, PlanThen, Keys, SignsAs, ScopesOf, Roles, Groups, Organisation, OnBehalfOf, Metadata, Status, .. others], m => Build(m, others));
        var all = new NamedShape<FileCaller>("callers by name", "caller", OperationSection.CheckName, one);
        var key = new Key<CallerSettings>("callers", new ConvertedShape<IReadOnlyList<KeyValuePair<string, FileCaller>>, CallerSettings>(all, list => new CallerSettings([.. list.Select(c => c.Value)])),
            "Who may ask, and how they prove it. More of them come through the Admin API; those named here belong to the file.") { Default = "none", Example = "{ agent-1: { keys: [\"${env:AGENT_KEY}\"] } }" };
        return new Section(Catalog.Loading.Scope.Document, key) { Check = Check, Tell = catalog => Tell(catalog.Settings.Get<CallerSettings>()) };
    }

    private static FileCaller Build(MapValues m, IReadOnlyList<Key> others)
    {
        if (!m.IsWritten(PlanUntil) && (m.IsWritten(PlanGrace) || m.IsWritten(PlanThen))) m.At.Refuse("'plan-grace' and 'plan-then' say what comes after 'plan-until', which is missing");
        if (m.IsWritten(PlanUntil) && !m.IsWritten(Plan)) m.Of(PlanUntil).Refuse("is the end of a plan, and 'plan' is missing");
        return Read(m, others);
    }

    private static FileCaller Read(MapValues m, IReadOnlyList<Key> others) => new(
        new Caller(m.At.Name)
        {
            Organisation = m.Get(Organisation),
            OnBehalfOf = m.Get(OnBehalfOf),
            Plan = m.Get(Plan),
            Term = m.IsWritten(PlanUntil) ? new PlanTerm(m.Get(PlanUntil), m.Get(PlanGrace), m.Get(PlanThen)) : null,
            Groups = m.Get(Groups, []),
            Roles = m.Get(Roles, []),
            Scopes = m.Get(ScopesOf, []),
            Metadata = m.Get(Metadata, []).ToDictionary(),
            SignsAs = m.Get(SignsAs, []),
            Status = m.Get(Status),
            ManagedByFile = true,
            Settings = new SettingsBag(others.Select(m.GetAny).OfType<object>()),
        },
        [.. m.Get(Keys, []).Select((key, at) => key with { Number = at + 1 })]);

    private static void Check(Draft draft)
    {
        var settings = draft.Settings.Get<CallerSettings>();
        // Keys may come through the Admin API; where nothing opens that either, nobody can ever say who they are.
        if (settings is null && draft.Gateway.AdminKeys.Count == 0)
            foreach (var operation in draft.Operations.Where(o => o.Identity == IdentityRule.Required))
                draft.At(operation, "identity").Warn("no way to say who one is is configured, so every call is answered 401");
        var known = draft.Operations.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        var owners = new Dictionary<KeyHash, string>();
        var signers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var caller in settings?.All ?? [])
        {
            foreach (var signer in caller.SignsAs)
                if (!signers.TryAdd(signer, caller.Caller.Name)) draft.At(caller, SignsAs.Name).Refuse($"'{Reading.Shown(signer)}' signs as '{signers[signer]}'; whoever signs is one caller");
            var keys = draft.At(caller, Keys.Name);
            foreach (var key in caller.Keys)
            {
                var spot = keys.Node is ListNode { Items: var items } ? keys.Item(key.Number - 1, items[key.Number - 1]) : keys;
                if (!owners.TryAdd(key.Hash, caller.Caller.Name)) spot.Refuse($"the same key is one of '{owners[key.Hash]}'; a key says who asks, so it is one caller's");
                foreach (var name in key.Rules.Operations.Where(name => !known.Contains(name)))
                    spot.Refuse($"'{Reading.Shown(name)}' is no operation{(Nearest.Of(name, known) is { } near ? $"; did you mean '{near}'?" : "")}");
                foreach (var scope in key.Rules.Scopes.Where(scope => !caller.Caller.Scopes.Contains(scope, StringComparer.Ordinal)))
                    spot.Refuse($"'{scope}' is no scope of its caller, so its key cannot have it");
            }
        }
    }

    private static IEnumerable<string> Tell(CallerSettings? settings)
    {
        foreach (var (caller, keys) in settings?.All.Select(c => (c.Caller, c.Keys)) ?? [])
        {
            var parts = new List<string> { keys.Count == 1 ? "1 key" : $"{keys.Count} keys" };
            if (caller.Plan is { } plan) parts.Add($"plan {plan}");
            if (caller.Scopes.Count > 0) parts.Add($"may {string.Join(", ", caller.Scopes)}");
            if (caller.OnBehalfOf is { } other) parts.Add($"for {other}");
            if (caller.Status != CallerStatus.Active) parts.Add(caller.Status.ToString().ToLowerInvariant());
            yield return $"{caller.Name}: {string.Join("; ", parts)}";
        }
    }
}
