using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;

namespace Turnpike.Admin.Callers;

/// <summary>A caller as JSON and as the command's options say it, in the words of turnpike.yaml; what is left out is nothing.</summary>
/// <param name="Caps">The most it may spend, each as <c>5.00 USD per 1d each key</c>; without per: in all; each caller, unless said, or key, token, task.</param>
/// <param name="Limits">How much it may take in how long, of everything.</param>
/// <param name="SignsAs">Who signs requests in its name: an agent's address, <c>wallet:0x…</c>, <c>tap:KEY</c> or <c>jkt:THUMBPRINT</c>.</param>
internal sealed record CallerBody(string? Plan = null, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? Roles = null, IReadOnlyList<string>? Groups = null, string? Organisation = null, string? OnBehalfOf = null, IReadOnlyDictionary<string, string>? Metadata = null, string? Status = null, DateTimeOffset? PlanUntil = null, string? PlanGrace = null, string? PlanThen = null, IReadOnlyList<string>? Caps = null, IReadOnlyList<RateWords>? Limits = null, IReadOnlyList<string>? SignsAs = null);

/// <summary>A key to make, or one made elsewhere.</summary>
/// <param name="Valid">How long, <c>30d</c>; left out: for good.</param>
/// <param name="Hash">An imported key's hash, <c>sha256:</c> and 64 hex digits; left out: a key is made.</param>
/// <param name="BoundTo">Who has to sign every request that presents it: <c>jkt:…</c>, an agent's address, <c>wallet:0x…</c>.</param>
/// <param name="Retrievable">Its text may be shown again; needs <c>identity.retrievable-keys</c>. Left out: it is told once.</param>
internal sealed record KeyBody(string? Valid = null, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? Operations = null, IReadOnlyList<string>? Methods = null, IReadOnlyList<string>? Models = null, string? Hash = null, IReadOnlyList<string>? BoundTo = null, bool? Retrievable = null);

/// <summary>A key to take the place of all others.</summary>
/// <param name="Overlap">How long the others go on, <c>1d</c>; left out: not at all.</param>
internal sealed record RollBody(string? Overlap = null, string? Valid = null, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? Operations = null, IReadOnlyList<string>? Methods = null, IReadOnlyList<string>? Models = null, IReadOnlyList<string>? BoundTo = null, bool? Retrievable = null)
{
    public KeyBody Key => new(Valid, Scopes, Operations, Methods, Models, BoundTo: BoundTo, Retrievable: Retrievable);
}

/// <summary>Reads orders about callers; each gives what was understood, or a sentence saying what is wrong.</summary>
internal static class CallerOrders
{
    private const int MostWords = 100, MostLength = 128;

    public static (Caller? Caller, string Error) Read(string name, CallerBody body)
    {
        if (OperationSection.CheckName(name) is { } wrong) return (null, wrong + ".");
        foreach (var (key, text) in new[] { ("plan", body.Plan), ("organisation", body.Organisation), ("onBehalfOf", body.OnBehalfOf) })
            if (text is not null && !IsWord(text)) return (null, $"{key}: at most {MostLength} characters of printable ASCII.");
        foreach (var (key, list) in new[] { ("roles", body.Roles), ("groups", body.Groups) })
            if (list is not null && (list.Count > MostWords || !list.All(IsWord))) return (null, $"{key}: at most {MostWords}, each of at most {MostLength} characters of printable ASCII.");
        if (body.Scopes is { } scopes && (scopes.Count > MostWords || !scopes.All(s => s is not null && Scopes.IsScope(s)))) return (null, "scopes: each is one word of printable ASCII.");
        if (body.Metadata is { } metadata && (metadata.Count > MostWords || metadata.Any(m => m.Value is null || m.Value.Length > 1000 || OperationSection.CheckName(m.Key) is not null))) return (null, "metadata: at most 100 texts of 1000 characters, by names of letters, digits, '-' and '_'.");
        if (!Enum.TryParse<CallerStatus>(body.Status ?? "active", ignoreCase: true, out var status) || int.TryParse(body.Status, CultureInfo.InvariantCulture, out _)) return (null, "status: active, suspended or closed.");
        var (term, untimely) = Term(body.PlanUntil, body.PlanGrace, body.PlanThen, "plan");
        if (untimely is not null) return (null, untimely);
        var (caps, wrongCap) = ReadCaps(body.Caps, CapScope.Caller);
        if (wrongCap is not null) return (null, wrongCap);
        var (limits, wrongLimit) = RateWords.Read(name, body.Limits);
        if (wrongLimit is not null) return (null, wrongLimit);
        if (body.SignsAs is { } signers && (signers.Count > MostWords || signers.Any(s => SignerName.Read(s) is null))) return (null, $"signsAs: at most {MostWords}, each an agent's address, wallet:0x…, tap:KEY or jkt:THUMBPRINT.");
        return (new Caller(name)
        {
            Plan = body.Plan,
            Term = term,
            Caps = caps,
            Scopes = [.. (body.Scopes ?? []).Distinct()],
            Roles = body.Roles ?? [],
            Groups = body.Groups ?? [],
            Organisation = body.Organisation,
            OnBehalfOf = body.OnBehalfOf,
            Metadata = body.Metadata ?? new Dictionary<string, string>(),
            SignsAs = [.. (body.SignsAs ?? []).Select(s => SignerName.Read(s)!).Distinct()],
            Status = status,
            Settings = limits is null ? SettingsBag.Empty : new SettingsBag([limits]),
        }, "");
    }

    /// <summary>When a plan ends; null and no sentence: not by itself.</summary>
    public static (PlanTerm? Term, string? Error) Term(DateTimeOffset? until, string? grace, string? then, string prefix = "")
    {
        var (graceName, thenName) = prefix.Length == 0 ? ("grace", "then") : (prefix + "Grace", prefix + "Then");
        if (until is not { } end) return grace is null && then is null ? (null, null) : (null, $"{graceName} and {thenName} say what comes after the plan's end, which is missing.");
        var more = TimeSpan.Zero;
        if (grace is not null && !Shapes.TryDuration(grace, out more)) return (null, $"{graceName}: write 30s, 5m, 1h, 1d or 1mo.");
        return then is not null && !IsWord(then) ? (null, $"{thenName}: at most {MostLength} characters of printable ASCII.") : (new PlanTerm(end, more, then), null);
    }

    /// <summary>Caps as words say them, or a sentence saying what is wrong.</summary>
    /// <param name="first">The largest that may be capped here, and what is meant where nothing is said.</param>
    public static (IReadOnlyList<Cap> Caps, string? Error) ReadCaps(IReadOnlyList<string>? texts, CapScope first)
    {
        List<Cap> caps = [];
        foreach (var text in texts ?? [])
        {
            if (!Cap.TryParse(text, first, out var cap) || cap.Each < first || caps.Count == MostWords) return ([], $"caps: at most {MostWords}, each such as '5.00 USD per 1d' or '5.00 USD each {Cap.Text(first == CapScope.Caller ? CapScope.Key : CapScope.Task)}'.");
            caps.Add(cap);
        }
        return (caps, null);
    }

    public static (CredentialRules? Rules, TimeSpan? Valid, string Error) Read(KeyBody body, Caller caller, ServiceCatalog catalog)
    {
        foreach (var scope in body.Scopes ?? [])
            if (scope is null || !caller.Scopes.Contains(scope, StringComparer.Ordinal)) return (null, null, $"scopes: '{scope}' is no scope of the caller, so its key cannot have it.");
        foreach (var name in body.Operations ?? [])
            if (!catalog.Operations.ContainsKey(name ?? "")) return (null, null, $"operations: nothing sold here is called '{name}'.");
        foreach (var method in body.Methods ?? [])
            if (method is null || method.Length is 0 or > 16 || !method.All(char.IsAsciiLetterUpper)) return (null, null, "methods: each is a method in capitals, such as GET.");
        foreach (var model in body.Models ?? [])
            if (string.IsNullOrEmpty(model) || model.Length > MostLength) return (null, null, $"models: each has at most {MostLength} characters.");
        foreach (var signer in body.BoundTo ?? [])
            if (SignerName.Read(signer) is null) return (null, null, "boundTo: each is jkt:THUMBPRINT, an agent's address, tap:KEY or wallet:0x….");
        var valid = TimeSpan.Zero;
        if (body.Valid is not null && !Shapes.TryDuration(body.Valid, out valid)) return (null, null, "valid: write 30s, 5m, 1h, 1d or 1mo.");
        if (body is { Retrievable: true, Hash: not null }) return (null, null, "retrievable: the text of an imported key is not known here.");
        if (body.Retrievable == true && catalog.Settings.Get<IdentitySettings>()?.Vault is null) return (null, null, "retrievable: needs identity.retrievable-keys in turnpike.yaml, which says under what secret.");
        if (body.Hash is { } hash && KeyHash.Parse(hash) is null) return (null, null, "hash: write sha256: and 64 hex digits.");
        return (new CredentialRules { Scopes = body.Scopes ?? [], Operations = body.Operations ?? [], Methods = body.Methods ?? [], Models = body.Models ?? [], BoundTo = [.. (body.BoundTo ?? []).Select(s => SignerName.Read(s)!)] }, body.Valid is null ? null : valid, "");
    }

    private static bool IsWord(string? text) => text is { Length: > 0 and <= MostLength } && text.All(c => c is >= ' ' and <= '~');
}
