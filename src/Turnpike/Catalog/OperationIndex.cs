using System.Collections.Frozen;

namespace Turnpike.Catalog;

/// <summary>Finds the operation of a method, host and canonical path: the most exact pattern wins, as in routing tables everywhere.</summary>
internal sealed class OperationIndex
{
    /// <summary>What an operation of any method is said to take, where a list is wanted.</summary>
    private static readonly string[] Usual = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

    private readonly FrozenDictionary<string, Entry[]> byMethod;

    public OperationIndex(IReadOnlyList<Service> services)
    {
        var entries = services.SelectMany(s => s.Operations.Select(o => new Entry(s, o))).ToList();
        ByName = entries.ToFrozenDictionary(e => e.Operation.Name, e => e.Operation, StringComparer.Ordinal);
        byMethod = entries.GroupBy(e => e.Operation.Method, StringComparer.Ordinal)
            .ToFrozenDictionary(g => g.Key, g => g.Order(MostExactFirst.Instance).ToArray(), StringComparer.Ordinal);
    }

    public FrozenDictionary<string, Operation> ByName { get; }

    public Operation? Match(string method, string host, string path) =>
        Find(method, host, path) ?? (method == "HEAD" ? Find("GET", host, path) : null)
        ?? (method is "OPTIONS" or "CONNECT" or "TRACE" or Operation.AnyMethod ? null : Find(Operation.AnyMethod, host, path));

    public IEnumerable<string> MethodsAt(string host, string path) =>
        byMethod.Keys.Where(m => Find(m, host, path) is not null).SelectMany(m => m switch { "GET" => ["GET", "HEAD"], Operation.AnyMethod => Usual, _ => new[] { m } }).Distinct().Order(StringComparer.Ordinal);

    public bool Knows(string host, string path)
    {
        foreach (var method in byMethod.Keys)
            if (Find(method, host, path) is not null) return true;
        return false;
    }

    private Operation? Find(string method, string host, string path)
    {
        if (!byMethod.TryGetValue(method, out var entries)) return null;
        foreach (var entry in entries)
            if (entry.Matches(host, path)) return entry.Operation;
        return null;
    }

    private sealed record Entry(Service Service, Operation Operation)
    {
        public bool Matches(string host, string path)
        {
            if (Service.Host is { } wanted && !wanted.Equals(host, StringComparison.OrdinalIgnoreCase)) return false;
            var rest = path.AsSpan();
            if (Service.Prefix.Length > 0)
            {
                if (!rest.StartsWith(Service.Prefix, StringComparison.Ordinal)) return false;
                rest = rest[Service.Prefix.Length..];
                if (rest.Length > 0 && rest[0] != '/') return false;
                if (rest.Length == 0) rest = "/";
            }
            return Operation.Path.Matches(rest);
        }
    }

    private sealed class MostExactFirst : IComparer<Entry>
    {
        public static readonly MostExactFirst Instance = new();

        public int Compare(Entry? a, Entry? b)
        {
            if (a is null || b is null) return 0;
            if ((a.Service.Host is null) != (b.Service.Host is null)) return a.Service.Host is null ? 1 : -1;
            var prefix = b.Service.Prefix.Length.CompareTo(a.Service.Prefix.Length);
            if (prefix != 0) return prefix;
            foreach (var (x, y) in a.Operation.Path.Rank.Zip(b.Operation.Path.Rank))
                if (x != y) return x.CompareTo(y);
            return b.Operation.Path.Rank.Count().CompareTo(a.Operation.Path.Rank.Count());
        }
    }
}
