using System.Collections.Frozen;
using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>The <c>services:</c> section.</summary>
internal sealed class ServiceSection
{
    private static readonly Shape<string> HostName = new ScalarShape<string>("a host name without port",
        (string t, out string? v) => (v = OnTheWire(t)) is not null ? null : "is no host name; write api.example.com, without scheme or port");

    private static readonly Shape<string> PathPrefix = new ScalarShape<string>("a path without a trailing slash",
        (string t, out string? v) => PathPattern.Parse(v = t, out var wrong) is not { } p ? $"is no prefix: {wrong}"
            : p.Names.Count > 0 || t.EndsWith('/') ? "is no prefix; write /name, without {parts} or a trailing slash" : null, "^/.*[^/]$");

    private static readonly Key<string> Host = new("host", HostName, "Only for callers of this host name.") { Default = "any", Example = "weather.example.com" };
    private static readonly Key<string> Prefix = new("prefix", PathPrefix, "Cut off the path before matching and forwarding.") { Default = "none", Example = "/weather" };
    private static readonly Key<string> Description = new("description", Shapes.Text, "What this service is, for discovery.") { Default = "none", Example = "Weather for machines" };
    private static readonly Key<Upstream> UpstreamKey = new("upstream", UpstreamSection.Shape, "Where its calls go: a URL, or more in full.") { Required = true, Example = "http://127.0.0.1:9000" };
    private static readonly Key<IReadOnlyList<KeyValuePair<string, Secret>>> Headers = new("headers", new NamedShape<Secret>("headers by name", "header", HeaderShape.CheckName, new HeaderShape()), "Added to every forwarded request, replacing what the caller sent: the upstream's own key, which the caller never sees.") { Default = "none", Example = "{ x-upstream-key: \"${env:UPSTREAM_KEY}\" }" };

    private static readonly Key<bool> Wrap = new("wrap", Shapes.Flag, "Sells the upstream whole, as one operation of the service's own name: every method and path at /g/{service}/…. Price and the other keys of an operation then stand here.") { Default = "false", Example = "true" };

    private readonly OperationSection operation;
    private readonly Key<IReadOnlyList<KeyValuePair<string, Operation>>> operations;
    private readonly IReadOnlyList<Key> others;

    public ServiceSection(IReadOnlyList<Section> sections)
    {
        operation = new OperationSection(sections);
        others = [.. sections.Where(s => s.Scope == Scope.Service).Select(s => s.Key)];
        operations = new("operations", new NamedShape<Operation>("operations by name", "operation", OperationSection.CheckName, operation.Shape), "What it sells; names are unique in the whole document.") { Default = "nothing", Example = "{ status: { match: GET /status, price: free } }" };
        Key = new("services", new NamedShape<Service>("services by name", "service", OperationSection.CheckName, new MapShape<Service>([Description, Host, Prefix, UpstreamKey, Headers, .. others, operations, Wrap, .. operation.OfWrapped.Where(k => others.All(o => o.Name != k.Name))], Build, patient: true)), "The upstreams and what they sell.") { Default = "none", Example = "{ weather: { upstream: \"http://127.0.0.1:9000\" } }" };
    }

    public Key<IReadOnlyList<KeyValuePair<string, Service>>> Key { get; }

    /// <summary>Names once, no two operations for the same call, none on our own paths.</summary>
    public static void Check(Draft draft)
    {
        var names = new Dictionary<string, Operation>(StringComparer.Ordinal);
        var calls = new Dictionary<(string Method, string? Host, string Shape), Operation>();
        foreach (var service in draft.Services)
        {
            foreach (var operation in service.Operations)
            {
                if (!names.TryAdd(operation.Name, operation))
                    draft.At(operation, "").Refuse($"operation '{operation.Name}' is already one of service '{names[operation.Name].Service}'; names are unique in the whole document");
                if (!service.Wrapped) CheckMatch(draft.At(operation, "match"), service, operation, calls);
            }
        }
    }

    /// <summary>A host name as requests bring it: lower case, with xn-- labels; null when it is none.</summary>
    private static string? OnTheWire(string text) => Uri.CheckHostName(text) is UriHostNameType.Dns or UriHostNameType.IPv4 && Uri.TryCreate($"http://{text}", UriKind.Absolute, out var url) ? url.IdnHost.ToLowerInvariant() : null;

    private static void CheckMatch(Spot match, Service service, Operation operation, Dictionary<(string Method, string? Host, string Shape), Operation> calls)
    {
        if (ReservedPaths.ClashOf(service.Prefix + operation.Path.Text) is { } own)
            match.Refuse($"'{operation.Method} {service.Prefix}{operation.Path}' clashes with our own {own}");
        var whole = PathPattern.Parse(service.Prefix + operation.Path.Text, out _) ?? operation.Path;
        var call = (operation.Method, service.Host, whole.Shape);
        if (!calls.TryAdd(call, operation))
            match.Refuse($"'{operation.Method} {operation.Path}' clashes with '{calls[call].Method} {calls[call].Path}' of operation '{calls[call].Name}'");
    }

    private Service? Build(MapValues m)
    {
        foreach (var twice in m.Get(Headers, []).GroupBy(h => h.Key, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            m.Of(Headers).Refuse($"'{twice.Key}' is given twice; header names have no case");
        var wrapped = m.Get(Wrap);
        if (wrapped) CheckWrapped(m);
        else foreach (var key in operation.OfWrapped.Where(m.IsWritten)) m.Of(key).Refuse($"'{key.Name}' stands on an operation, or on a service with wrap: true");
        var sold = wrapped ? [Owned(m.At, Remembered(m, operation.BuildWrapped(m) with { Description = m.Get(Description) }))] : m.Get(operations, []).Select(o => Owned(m.At, o.Value)).ToList();
        return new Service
        {
            Name = m.At.Name,
            Description = m.Get(Description),
            Host = m.Get(Host),
            Prefix = wrapped ? "/g/" + m.At.Name : m.Get(Prefix, ""),
            Wrapped = wrapped,
            // A refused upstream stands for nothing: the document is refused as a whole, but the rest is still checked.
            Upstream = m.Get(UpstreamKey) ?? new Upstream { Targets = [] },
            Headers = m.Get(Headers, []),
            Operations = sold,
            Settings = new SettingsBag(others.Select(m.GetAny).OfType<object>()),
        };
    }

    private void CheckWrapped(MapValues m)
    {
        if (m.IsWritten(Prefix)) m.Of(Prefix).Refuse("a wrapped service is at /g/{service}/… and nowhere else");
        if (m.IsWritten(operations)) m.Of(operations).Refuse("a wrapped service is one operation itself; give it operations, or wrap: true, not both");
    }

    private static Operation Remembered(MapValues m, Operation built)
    {
        m.Remember(built);
        return built;
    }

    private static Operation Owned(Spot service, Operation read)
    {
        var owned = read with { Service = service.Name };
        service.Reading.Copy(read, owned);
        return owned;
    }
}

/// <summary>A header's value: a reference where the header bears a secret, else any text.</summary>
internal sealed class HeaderShape : Shape<Secret>
{
    private static readonly FrozenSet<string> Ours = FrozenSet.ToFrozenSet(
        ["host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "proxy-connection", "expect"], StringComparer.OrdinalIgnoreCase);

    public override string Says => "a header's value";

    /// <summary>Null for a header that may be added, else why not.</summary>
    public static string? CheckName(string name)
    {
        if (name.Length is 0 or > 128 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))) return "is no header name";
        return Ours.Contains(name) || name.StartsWith("turnpike-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("payment-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("x-pay", StringComparison.OrdinalIgnoreCase) ? "is a header that the gateway alone sets" : null;
    }

    public override bool TryRead(Spot at, out Secret value)
    {
        value = default;
        if (!at.TryText(Says, out var text)) return false;
        if (BearsSecret(at.Name) && (text.References == 0 || text.HasDefault)) return at.Refuse("this header bears a secret; a secret is a reference, ${env:NAME} or ${file:PATH}, never a value or a default in the file");
        // A line break in a variable would let it add headers of its own.
        if (text.Text.Any(c => char.IsControl(c) || c > '~')) return at.Refuse("a header's value is printable ASCII on one line");
        value = new Secret(text.Text);
        return true;
    }

    public override void WriteSchema(System.Text.Json.Utf8JsonWriter json) => json.WriteString("type", "string");

    private static bool BearsSecret(string header)
    {
        string[] words = ["authorization", "key", "token", "secret", "password", "cookie", "credential", "signature"];
        return words.Any(w => header.Contains(w, StringComparison.OrdinalIgnoreCase));
    }
}
