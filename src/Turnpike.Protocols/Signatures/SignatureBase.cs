using System.Globalization;
using System.Text;

namespace Turnpike.Protocols.Signatures;

/// <summary>The bytes a signature is over (RFC 9421 §2.5): one line for each component, and one for how it was signed.</summary>
internal static class SignatureBase
{
    /// <summary>The base, or null when a component is missing, comes twice, or cannot be told without doubt.</summary>
    public static string? Of(SignedMessage message, FieldMember input)
    {
        var text = new StringBuilder();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var component in input.Items!)
        {
            if (component.Value is not string name || name.Any(char.IsAsciiLetterUpper)) return null;
            var identifier = component.Write(new StringBuilder()).ToString();
            if (!seen.Add(identifier) || ValueOf(message, name, component) is not { } value || value.AsSpan().IndexOfAnyExceptInRange(' ', '~') >= 0) return null;
            text.Append(identifier).Append(": ").Append(value).Append('\n');
        }
        return input.Write(text.Append("\"@signature-params\": ")).ToString();
    }

    private static string? ValueOf(SignedMessage message, string name, FieldItem component)
    {
        if (name.StartsWith('@')) return Derived(message, name, component);
        var lines = message.Headers(name);
        if (lines.Count == 0) return null;
        return component.Parameters switch
        {
            [] => string.Join(", ", lines.Select(Plain)),
            [{ Key: "key", Value: string key }] => FieldReader.ReadDictionary(string.Join(", ", lines)) is { } members && members.TryGetValue(key, out var member) ? member.Write(new StringBuilder()).ToString() : null,
            [{ Key: "bs", Value: true }] => string.Join(", ", lines.Select(l => $":{Convert.ToBase64String(Encoding.Latin1.GetBytes(Plain(l)))}:")),
            // sf needs the field's type, req and tr another message or its end: what is not told here without doubt is not signed.
            _ => null,
        };
    }

    private static string? Derived(SignedMessage message, string name, FieldItem component)
    {
        if (name == "@query-param") return component.Parameters is [{ Key: "name", Value: string parameter }] ? QueryParameter(message.Query, parameter) : null;
        if (component.Parameters.Count > 0) return null;
        if (message.Status is { } status) return name == "@status" ? status.ToString(CultureInfo.InvariantCulture) : null;
        return name switch
        {
            "@method" => message.Method,
            "@authority" => Authority(message),
            "@scheme" => message.Scheme,
            "@target-uri" => $"{message.Scheme}://{Authority(message)}{message.Target}",
            "@request-target" => message.Target,
            "@path" => message.Path,
            "@query" => message.Query,
            _ => null,
        };
    }

    /// <summary>Lower case, and without the port everybody assumes (RFC 9421 §2.2.3).</summary>
    private static string Authority(SignedMessage message)
    {
        var authority = message.Authority.ToLowerInvariant();
        var assumed = message.Scheme == "https" ? ":443" : ":80";
        return authority.EndsWith(assumed, StringComparison.Ordinal) ? authority[..^assumed.Length] : authority;
    }

    /// <summary>One parameter of the query, as form data reads and percent-encoding writes it (RFC 9421 §2.2.8); one that comes twice is in doubt.</summary>
    private static string? QueryParameter(string query, string name)
    {
        string? found = null;
        foreach (var pair in query[1..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (Encode(Decode(equals < 0 ? pair : pair[..equals])) != name) continue;
            if (found is not null) return null;
            found = Encode(Decode(equals < 0 ? "" : pair[(equals + 1)..]));
        }
        return found;
    }

    private static byte[] Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) { bytes.Add(value); i += 2; }
            else bytes.Add(text[i] == '+' ? (byte)' ' : (byte)text[i]);
        }
        return [.. bytes];
    }

    private static string Encode(byte[] bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes)
            if (char.IsAsciiLetterOrDigit((char)value) || value is (byte)'*' or (byte)'-' or (byte)'.' or (byte)'_') text.Append((char)value);
            else text.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
        return text.ToString();
    }

    /// <summary>Trimmed, and folded lines in one (RFC 9421 §2.1).</summary>
    private static string Plain(string line)
    {
        var value = line.Trim(' ', '\t');
        return value.Contains('\n', StringComparison.Ordinal) ? string.Join(' ', value.Split('\n').Select(part => part.Trim(' ', '\t', '\r'))) : value;
    }
}
