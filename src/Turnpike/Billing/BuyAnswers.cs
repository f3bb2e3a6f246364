using System.Buffers;
using System.Text;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Billing;

/// <summary>Answers of the checkout: a page for people, the same facts as JSON for agents.</summary>
internal static class BuyAnswers
{
    public static IResult Page(string html, int status) => Results.Content(html, "text/html; charset=utf-8", statusCode: status);

    public static IResult Json(int status, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) members(json);
        return Results.Content(Encoding.UTF8.GetString(buffer.WrittenSpan), "application/json", statusCode: status);
    }

    public static IResult Problem(Reason reason, string detail) =>
        Results.Problem(detail, statusCode: reason.Status, title: reason.Title, type: reason.Type, extensions: new Dictionary<string, object?> { ["reason"] = reason.Code, ["hint"] = reason.Hint });

    public static void Write(Utf8JsonWriter json, string name, Money money)
    {
        json.WriteStartObject(name);
        json.WriteString("amount", money.ToDecimal());
        json.WriteString("currency", money.Currency);
        json.WriteEndObject();
    }
}
