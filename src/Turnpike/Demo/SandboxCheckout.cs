using System.Buffers;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Pricing;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Demo;

/// <summary>
/// <c>/buy/{operation}</c> with test money, for people and agents: a form, or JSON. It exists only where <c>gateway.sandbox</c> is
/// true; elsewhere it is 404, because what it sells is given away.
/// </summary>
internal sealed class SandboxCheckout(CatalogSource catalog, TokenDesk desk)
{
    private const int MostBody = 4096, MostCalls = 1000;
    private static readonly TimeSpan Valid = TimeSpan.FromDays(1);

    public static void Map(WebApplication app)
    {
        app.MapGet("/buy/{operation}", (string operation, HttpRequest request, HttpResponse response) => Of(app).Show(operation, request, response));
        app.MapPost("/buy/{operation}", (string operation, HttpRequest request, HttpResponse response, CancellationToken ct) => Of(app).SellAsync(operation, request, response, ct));
    }

    private static SandboxCheckout Of(WebApplication app) => new(app.Services.GetRequiredService<CatalogSource>(), app.Services.GetRequiredService<TokenDesk>());

    private IResult Show(string operation, HttpRequest request, HttpResponse response)
    {
        Private(response);
        if (Find(operation) is not { } ware) return Missing();
        return Accept.PrefersHtml(request.Headers.Accept.ToString()) ? Page(SandboxPages.Form(ware, null), 200) : Json(200, ware.Write);
    }

    private async Task<IResult> SellAsync(string operation, HttpRequest request, HttpResponse response, CancellationToken ct)
    {
        Private(response);
        if (Find(operation) is not { } ware) return Missing();
        var html = Accept.PrefersHtml(request.Headers.Accept.ToString());
        if (!ware.TryBudget(await BudgetAsync(request, ct), out var budget))
            return html ? Page(SandboxPages.Form(ware, ware.Bounds), 400) : Results.Problem(ware.Bounds, statusCode: 400, title: "The budget is refused", type: Reasons.MalformedRequest.Type, extensions: new Dictionary<string, object?> { ["reason"] = Reasons.MalformedRequest.Code });
        var token = await desk.IssueAsync(new TokenOrder(budget) { Operations = [ware.Operation.Name], Valid = Valid, Note = "sandbox checkout" }, "external:sandbox", ct: ct);
        var text = ware.Prepaid.Text.Of(token.Id);
        return html ? Page(SandboxPages.Sold(ware, token, text), 201) : Json(201, json => ware.Write(json, token, text));
    }

    /// <summary>Test money buys only here, and only what has a price that tokens can pay.</summary>
    private SandboxWare? Find(string name)
    {
        var current = catalog.Current;
        if (!current.Gateway.Sandbox || current.Settings.Get<PaymentSettings>()?.Prepaid is not { } prepaid) return null;
        return current.Operations.GetValueOrDefault(name) is { } operation && operation.Settings.Get<PriceModel>() is PriceModel.Fixed { Amount.IsZero: false } price
            ? new SandboxWare(operation, price.Amount, new Money(checked(price.Amount.Units * MostCalls), price.Amount.Currency), prepaid, current.Gateway.Url)
            : null;
    }

    /// <summary>The <c>budget</c> of a form or of JSON; null when there is none, empty when it cannot be read.</summary>
    private static async Task<string?> BudgetAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength is null or 0) return null;
        if (request.ContentLength > MostBody) return "";
        if (request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true) return await FieldAsync(request, ct);
        var body = new byte[(int)request.ContentLength];
        await request.Body.ReadExactlyAsync(body, ct);
        if (StrictJson.Parse(body) is not { ValueKind: JsonValueKind.Object } order) return "";
        return !order.TryGetProperty("budget", out var budget) ? null : budget.ValueKind == JsonValueKind.String ? budget.GetString() : "";
    }

    private static async Task<string> FieldAsync(HttpRequest request, CancellationToken ct)
    {
        try
        {
            return (await request.ReadFormAsync(ct))["budget"].ToString();
        }
        catch (InvalidDataException)
        {
            return "";
        }
    }

    private static void Private(HttpResponse response)
    {
        response.Headers.CacheControl = "private, no-store";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
    }

    private static IResult Missing() =>
        Results.Problem("Nothing is sold here for test money.", statusCode: 404, title: Reasons.NotFound.Title, type: Reasons.NotFound.Type, extensions: new Dictionary<string, object?> { ["reason"] = Reasons.NotFound.Code });

    private static IResult Page(string html, int status) => Results.Content(html, "text/html; charset=utf-8", statusCode: status);

    private static IResult Json(int status, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) members(json);
        return Results.Content(System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan), "application/json", statusCode: status);
    }
}
