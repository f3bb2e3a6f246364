using System.Text;
using Turnpike.Protocols.Signing;

namespace Turnpike.Audit;

/// <summary>An export that is looked at without the store: does every chain in it hold, and up to where is it signed?</summary>
internal static class AuditFile
{
    /// <summary>Reads the file twice: what proves the chains may stand after them.</summary>
    /// <exception cref="InvalidDataException">A line that is none.</exception>
    public static AuditReport Verify(string path, JwkSet keys, CancellationToken ct)
    {
        List<AuditCheckpoint> checkpoints = [];
        Dictionary<string, AuditHead> starts = new(StringComparer.Ordinal);
        foreach (var item in Items(path))
        {
            if (item is AuditCheckpoint checkpoint) checkpoints.Add(checkpoint);
            else if (item is ValueTuple<string, AuditHead> start) starts.TryAdd(start.Item1, start.Item2);
        }
        return new AuditCheck(checkpoints, keys).RunPart(Items(path).OfType<AuditRow>(), starts, ct);
    }

    private static IEnumerable<object> Items(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length > 0) yield return AuditLine.Read(Encoding.UTF8.GetBytes(line)) ?? throw new InvalidDataException($"{path}: line {number} is no line of an audit export");
        }
    }
}
