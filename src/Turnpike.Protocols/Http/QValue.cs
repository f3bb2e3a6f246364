namespace Turnpike.Protocols.Http;

/// <summary>A quality value of content negotiation (RFC 9110 §12.4.2) as whole thousandths.</summary>
public static class QValue
{
    public const int One = 1000;

    /// <summary>0 to 1000 for <c>0</c>, <c>0.5</c>, <c>1.000</c>; null for anything the grammar does not allow.</summary>
    public static int? Parse(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > 5 || text[0] is not ('0' or '1')) return null;
        if (text.Length == 1) return text[0] == '1' ? One : 0;
        if (text[1] != '.') return null;
        var thousandths = 0;
        for (var i = 0; i < 3; i++)
        {
            var digit = i + 2 < text.Length ? text[i + 2] - '0' : 0;
            if (digit is < 0 or > 9) return null;
            thousandths = (thousandths * 10) + digit;
        }
        if (text[0] == '0') return thousandths;
        return thousandths == 0 ? One : null;
    }

    /// <summary>The <c>q</c> among the parameters of a range, 1000 if there is none; null if it is malformed.</summary>
    public static int? OfParameters(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim(" \t");
            if (parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)) return Parse(parameter[2..].Trim(" \t"));
        }
        return One;
    }
}
