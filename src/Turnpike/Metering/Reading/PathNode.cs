using System.Text;

namespace Turnpike.Metering.Reading;

/// <summary>
/// Where in a JSON text something is wanted: a tree of steps, each a member name, an index or every element. Built once, only read
/// afterwards. The paths are a bounded subset of JSONPath: <c>$.usage.total</c>, <c>$.items[0]</c>, <c>$.items[*]</c>.
/// </summary>
internal sealed class PathNode
{
    private const int MostSteps = 16;

    private readonly List<(byte[] Name, PathNode Node)> members = [];
    private readonly Dictionary<int, PathNode> elements = [];
    private PathNode? every;

    /// <summary>The numbers under which a value here is told; empty: not wanted.</summary>
    public int[] Targets { get; private set; } = [];

    /// <summary>Wants what stands at a path.</summary>
    /// <exception cref="FormatException">It is no path of the subset.</exception>
    public PathNode Want(string path, int target)
    {
        if (!TrySteps(path, out var steps, out var wrong)) throw new FormatException(wrong);
        var node = this;
        foreach (var step in steps) node = node.Below(step);
        node.Targets = [.. node.Targets, target];
        return this;
    }

    /// <summary>Null for a path of the subset, else what is wrong with it.</summary>
    public static string? Check(string path) => TrySteps(path, out _, out var wrong) ? null : wrong;

    public PathNode? Member(ReadOnlySpan<byte> name)
    {
        foreach (var (known, node) in members)
            if (name.SequenceEqual(known)) return node;
        return null;
    }

    public PathNode? Element(int index) => elements.Count > 0 && elements.TryGetValue(index, out var node) ? node : every;

    private PathNode Below(object step)
    {
        if (step is int index) return elements.TryGetValue(index, out var known) ? known : elements[index] = new();
        if (step is not string name) return every ??= new();
        var bytes = Encoding.UTF8.GetBytes(name);
        if (Member(bytes) is { } found) return found;
        var made = new PathNode();
        members.Add((bytes, made));
        return made;
    }

    /// <summary>Steps: a name, an index, or null for every element.</summary>
    private static bool TrySteps(string path, out List<object> steps, out string wrong)
    {
        steps = [];
        wrong = "is no path; write $.name, $.list[0] or $.list[*], at most 16 steps";
        if (path.Length is 0 or > 256 || path[0] != '$') return false;
        for (var at = 1; at < path.Length;)
        {
            if (steps.Count == MostSteps) return false;
            if (path[at] == '.')
            {
                var end = path.AsSpan(at + 1).IndexOfAny('.', '[');
                var name = end < 0 ? path[(at + 1)..] : path.Substring(at + 1, end);
                if (name.Length == 0 || name.Any(c => c is ']' or '"' or '\'' or ' ' or '*' || char.IsControl(c))) return false;
                steps.Add(name);
                at += 1 + name.Length;
            }
            else
            {
                var end = path[at] == '[' ? path.IndexOf(']', at) : -1;
                if (end < 0) return false;
                var inside = path[(at + 1)..end];
                if (inside == "*") steps.Add(Every);
                else if (int.TryParse(inside, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index)) steps.Add(index);
                else return false;
                at = end + 1;
            }
        }
        return true;
    }

    private static readonly object Every = new();
}
