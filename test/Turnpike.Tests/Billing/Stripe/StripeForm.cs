using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>Stripe's form encoding: <c>a[b][0][c]=d</c>, as the tree it stands for.</summary>
internal static class StripeForm
{
    public static IReadOnlyList<KeyValuePair<string, string>> Pairs(string text) => [.. text.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair =>
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        return KeyValuePair.Create(Decode(equals < 0 ? pair : pair[..equals]), equals < 0 ? "" : Decode(pair[(equals + 1)..]));
    })];

    /// <summary>Null for what cannot be a tree: a name that is both a value and a map, or brackets that do not close.</summary>
    public static JsonObject? Parse(string text)
    {
        var root = new JsonObject();
        foreach (var (name, value) in Pairs(text))
        {
            if (Path(name) is not { } path) return null;
            var at = root;
            for (var i = 0; i < path.Count - 1; i++)
            {
                if (at[path[i]] is { } known and not JsonObject) return known is null ? null : null;
                at = (JsonObject)(at[path[i]] ??= new JsonObject());
            }
            if (at.ContainsKey(path[^1])) return null;
            at[path[^1]] = value;
        }
        return root;
    }

    private static List<string>? Path(string name)
    {
        var open = name.IndexOf('[', StringComparison.Ordinal);
        if (open < 0) return [name];
        List<string> path = [name[..open]];
        while (open < name.Length)
        {
            var close = name.IndexOf(']', open);
            if (name[open] != '[' || close < 0) return null;
            path.Add(name[(open + 1)..close]);
            open = close + 1;
        }
        return path;
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
