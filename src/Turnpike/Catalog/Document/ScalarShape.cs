using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>Reads resolved text; gives null when it was understood, else what is wrong with it, to follow the value: "is no duration".</summary>
internal delegate string? ScalarParser<T>(string text, out T? value);

/// <summary>One scalar.</summary>
/// <param name="says">"a duration such as 30s".</param>
/// <param name="pattern">An ECMA regular expression for the JSON Schema; null when any text may stand. References always may.</param>
/// <param name="hidden">The value may carry a secret (a node's URL, a connection string): errors do not show it.</param>
internal sealed class ScalarShape<T>(string says, ScalarParser<T> parse, string? pattern = null, bool hidden = false, string type = "string") : Shape<T>
{
    public override string Says => says;

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (!at.TryText(says, out var text)) return false;
        if (parse(text.Text, out var understood) is not { } wrong)
        {
            value = understood!;
            // Where somebody is asked is not what they say, and may carry a password.
            if (at.IsVersioned && text.References > 0 && !hidden && !text.Text.Contains("://", StringComparison.Ordinal)) at.Reading.Versioned[at.Path] = text.Text;
            return true;
        }
        // A URL with a user in it carries a password.
        var hide = hidden || text.Shown.Contains("://", StringComparison.Ordinal) && text.Shown.Contains('@');
        return at.Refuse(hide ? $"the value {wrong}" : $"'{text.Shown}' {wrong}");
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        if (type == "string")
        {
            json.WriteString("type", type);
            if (pattern is not null) json.WriteString("pattern", $@"(?:{pattern})|\$\{{");
            return;
        }
        json.WriteStartArray("anyOf");
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("type", "string");
        json.WriteString("pattern", @"\$\{");
        json.WriteEndObject();
        json.WriteEndArray();
    }
}

/// <summary>One of a few words.</summary>
internal sealed class ChoiceShape<T>(params (string Word, T Value)[] choices) : Shape<T>
{
    public override string Says => "one of " + string.Join(", ", choices.Select(c => c.Word));

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (!at.TryText(Says, out var text)) return false;
        foreach (var (word, meant) in choices)
        {
            if (word != text.Text) continue;
            value = meant;
            return true;
        }
        var near = text.References > 0 ? null : Nearest.Of(text.Text, choices.Select(c => c.Word));
        return at.Refuse($"'{text.Shown}' is not {Says}{(near is null ? "" : $"; did you mean '{near}'?")}");
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("enum");
        foreach (var (word, _) in choices) json.WriteStringValue(word);
        json.WriteEndArray();
    }
}

/// <summary>A secret: one reference and nothing else, no default, so that no secret ever stands in the file.</summary>
/// <param name="leastBytes">What a signing secret must hold.</param>
/// <param name="check">A sentence when the value is unfit; it must not show the value.</param>
internal sealed class SecretShape(int leastBytes = 0, Func<string, string?>? check = null) : Shape<Secret>
{
    public override string Says => "a reference to a secret, ${env:NAME} or ${file:PATH}";

    public override bool TryRead(Spot at, out Secret value)
    {
        value = default;
        if (at.Node is ScalarNode { IsNothing: false } scalar && !new Resolved("", scalar.Text, 1, scalar.Text.Contains(":-", StringComparison.Ordinal)).IsOneReference)
            return at.Refuse("a secret is a reference, ${env:NAME} or ${file:PATH}, never a value or a default in the file");
        if (!at.TryText(Says, out var text)) return false;
        var secret = new Secret(text.Text);
        if (secret.Bytes().Length < leastBytes) return at.Refuse($"a signing secret has at least {leastBytes} bytes; {text.Shown} has fewer");
        if (check?.Invoke(text.Text) is { } wrong) return at.Refuse($"{text.Shown} {wrong}");
        value = secret;
        return true;
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("pattern", @"^\$\{(env:[A-Za-z0-9_]+|file:[^}]+)\}$");
    }
}
