using System.Text.Json;
using Turnpike.Protocols.Http;

namespace Turnpike.Billing;

/// <summary>An order as it was sent, by a form or as JSON: its fields as text. What cannot be read has every field empty, which no order takes.</summary>
internal sealed class BuyForm(Func<string, string?> field)
{
    private const int MostBody = 4096;
    private static readonly BuyForm Nothing = new(static _ => null), Unreadable = new(static _ => "");

    /// <summary>The field; null when it was not sent.</summary>
    public string? Of(string name) => field(name);

    public static async ValueTask<BuyForm> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength is null or 0) return Nothing;
        if (request.ContentLength > MostBody) return Unreadable;
        if (request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true) return await ReadFormAsync(request, ct);
        var body = new byte[(int)request.ContentLength];
        await request.Body.ReadExactlyAsync(body, ct);
        return StrictJson.Parse(body) is { ValueKind: JsonValueKind.Object } json ? new BuyForm(name => !json.TryGetProperty(name, out var value) ? null : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => "",
        }) : Unreadable;
    }

    private static async ValueTask<BuyForm> ReadFormAsync(HttpRequest request, CancellationToken ct)
    {
        try
        {
            var form = await request.ReadFormAsync(ct);
            return new BuyForm(name => form[name].ToString());
        }
        catch (InvalidDataException)
        {
            return Unreadable;
        }
    }
}
