using System.Globalization;
using System.Text;
using Turnpike.Protocols.Http;

namespace Turnpike.Audit;

/// <summary>A place in the trail of all nodes; its text is a page's cursor, opaque to whoever gives it back.</summary>
internal sealed record AuditPlace(long Microseconds, string Node, long Sequence)
{
    public static AuditPlace Start { get; } = new(long.MinValue, "", 0);

    /// <summary>Null for what is no cursor.</summary>
    public static AuditPlace? Parse(string text)
    {
        if (Base64Url.Decode(text) is not { } bytes || Encoding.UTF8.GetString(bytes).Split(' ', 3) is not [var time, var sequence, var node]) return null;
        return long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var microseconds) && long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new AuditPlace(microseconds, node, number)
            : null;
    }

    public override string ToString() => Base64Url.Encode(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Microseconds} {Sequence} {Node}")));
}
