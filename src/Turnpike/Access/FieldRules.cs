using System.Net.Http.Headers;
using Turnpike.Catalog;
using Turnpike.Protocols.Http;

namespace Turnpike.Access;

/// <summary>The fields of an operation's answers that not every caller may see.</summary>
internal sealed record FieldRules(IReadOnlyList<FieldRule> Rules)
{
    /// <summary>Answers are held back whole to be looked through.</summary>
    public const int MostBytes = 8 * 1024 * 1024;

    /// <summary>The places this caller may not see.</summary>
    public IReadOnlyList<(JsonPath Path, JsonRemoval Removal)> HiddenFrom(Principal? principal) =>
        [.. Rules.Where(r => !r.Scopes.All(s => principal?.Has(s) == true)).SelectMany(r => r.Paths.Select(p => (p, r.Otherwise)))];

    /// <summary>
    /// Takes out of an answer what its caller may not see, before it is counted, charged or kept. An answer that cannot be looked
    /// through does not leave: no JSON, compressed, cut in parts, or too large.
    /// </summary>
    public static async ValueTask<Answer?> ApplyAsync(Call call, HttpResponseMessage answer, CancellationToken ct)
    {
        if (call.Operation.Settings.Get<FieldRules>() is not { } rules || call.Method == "HEAD") return null;
        var hidden = rules.HiddenFrom(call.Principal);
        if (hidden.Count == 0 || (int)answer.StatusCode is 204 or 304) return null;
        var type = answer.Content.Headers.ContentType?.MediaType;
        var json = type is not null && (type.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
        if (!json && !answer.IsSuccessStatusCode) return null;
        if (!json || answer.Content.Headers.ContentEncoding.Count > 0 || (int)answer.StatusCode == 206) return Withheld("It is no plain JSON.");
        if (await ReadAsync(answer.Content, ct) is not { } body) return Withheld("It is too large.");
        if (JsonFilter.Apply(body.Span, hidden) is not { } shown) return Withheld("It is no sound JSON.");
        answer.Content = Content(shown, answer.Content.Headers);
        return null;
    }

    /// <summary>The request headers that would make an answer one that cannot be looked through.</summary>
    public static bool Spoils(Call call, string header) =>
        call.Operation.Settings.Get<FieldRules>() is not null && (header.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase) || header.Equals("Range", StringComparison.OrdinalIgnoreCase) || header.Equals("If-Range", StringComparison.OrdinalIgnoreCase));

    private static Refusal Withheld(string why) => new(Reasons.AnswerWithheld, $"The answer holds what you may not see, and that could not be taken out. {why}");

    private static async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(HttpContent content, CancellationToken ct)
    {
        if (content.Headers.ContentLength > MostBytes) return null;
        await using var stream = await content.ReadAsStreamAsync(ct);
        var body = new System.Buffers.ArrayBufferWriter<byte>();
        int read;
        while ((read = await stream.ReadAsync(body.GetMemory(16 * 1024), ct)) > 0)
        {
            body.Advance(read);
            if (body.WrittenCount > MostBytes) return null;
        }
        return body.WrittenMemory;
    }

    /// <summary>The headers that are still true of what is left.</summary>
    private static ByteArrayContent Content(byte[] shown, HttpContentHeaders before)
    {
        var content = new ByteArrayContent(shown);
        foreach (var (name, values) in before.NonValidated)
            if (!IsOfTheWhole(name)) content.Headers.TryAddWithoutValidation(name, values);
        content.Headers.ContentLength = shown.Length;
        return content;
    }

    private static bool IsOfTheWhole(string name) =>
        name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-MD5", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-Digest", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Places only those with all of the scopes may see, and what becomes of them for others.</summary>
internal sealed record FieldRule(IReadOnlyList<JsonPath> Paths, IReadOnlyList<string> Scopes, JsonRemoval Otherwise);
