using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway.Own;
using Turnpike.Limits;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Billing.Automatic;

/// <summary>
/// What a buyer agreed to, to be seen and ended: by its own unguessable address (<c>/buy/{operation}/automatic?id=ma_…</c>), or with the
/// token itself (<c>/tokens/automatic-top-up</c>). Neither shows the token.
/// </summary>
internal static class TopUpApi
{
    private const int MostShown = 50;

    public static void MapTopUps(this IEndpointRouteBuilder app)
    {
        app.MapGet("/tokens/automatic-top-up", (HttpContext http, TopUpView views, CatalogSource catalog, CancellationToken ct) => OwnAsync(http, views, catalog, null, ct));
        app.MapDelete("/tokens/automatic-top-up", (HttpContext http, TopUpView views, CatalogSource catalog, CancellationToken ct) => OwnAsync(http, views, catalog, "end", ct));
        app.MapPost("/tokens/automatic-top-up", async (HttpContext http, TopUpView views, CatalogSource catalog, CancellationToken ct) => await OwnAsync(http, views, catalog, (await BuyForm.ReadAsync(http.Request, ct)).Of("action") ?? "", ct));
    }

    public static async Task<IResult> ShowAsync(string operation, HttpRequest request, CatalogSource catalog, TopUpView views, CancellationToken ct) =>
        BundleWare.Find(catalog.Current, operation) is { } ware && await views.FindAsync(operation, request.Query["id"].ToString(), ct) is { } mandate
            ? await AnswerAsync(request, ware, mandate, views, null, ct) : Missing();

    public static async Task<IResult> ChangeAsync(string operation, HttpRequest request, CatalogSource catalog, TopUpView views, RateCounters counters, CancellationToken ct)
    {
        if (BuyApi.TooOften(request, catalog, counters) is { } refused) return refused;
        var form = await BuyForm.ReadAsync(request, ct);
        if (BundleWare.Find(catalog.Current, operation) is not { } ware || await views.FindAsync(operation, form.Of("id") ?? "", ct) is not { } mandate) return Missing();
        return await DoAsync(request, ware, mandate, form.Of("action") ?? "", views, ct);
    }

    /// <summary>A token that another took the place of says nothing any more: whoever it was stolen by changes nothing.</summary>
    private static async Task<IResult> OwnAsync(HttpContext http, TopUpView views, CatalogSource catalog, string? action, CancellationToken ct)
    {
        var own = await OwnPath.ReadAsync(http, "tokens/automatic-top-up", ct);
        if (own.Refused is { } refused) return refused;
        if (own.Token is not { } id) return OwnPath.Unknown(http).Refused!;
        if (await views.OfTokenAsync(id, ct) is not var (token, mandate)) return OwnPath.Unknown(http).Refused!;
        if (token.Status == TokenStatus.Revoked) return OwnPath.Problem(Reasons.TokenRevoked, "The token is revoked, or another took its place.");
        if (mandate is null || BundleWare.Find(catalog.Current, mandate.Operation) is not { } ware) return OwnPath.Problem(Reasons.NotFound, "Nobody agreed to have this token topped up.");
        return action is null ? await AnswerAsync(http.Request, ware, mandate, views, null, ct) : await DoAsync(http.Request, ware, mandate, action, views, ct);
    }

    private static async Task<IResult> DoAsync(HttpRequest request, BundleWare ware, Mandate mandate, string action, TopUpView views, CancellationToken ct)
    {
        if (action == "pay" && mandate.Status != MandateStatus.Ended && ware.Automatic is not null)
        {
            if (await views.PayAsync(ware, mandate, ct) is not var (order, url)) return await AnswerAsync(request, ware, mandate, views, "The token cannot be topped up now, or the checkout does not answer. Nothing was charged.", ct);
            return Html(request) ? Results.Redirect(url, permanent: false, preserveMethod: false) : BuyAnswers.Json(201, json => ware.Write(json, order, new CheckoutSession(order.Session ?? "", url, "open", "unpaid", null, null, null, null)));
        }
        if (action == "end") await views.EndAsync(mandate, ct); // again: it has ended
        var said = action switch
        {
            "end" => null,
            "resume" when mandate.Status == MandateStatus.Paused => await views.ResumeAsync(mandate, ct) ? null : "It is not paused.",
            "resume" => mandate.Status == MandateStatus.Active ? null : "It has ended: agree anew with a purchase.",
            _ => "action is end, resume, or pay.",
        };
        return await AnswerAsync(request, ware, await views.FindAsync(mandate.Operation, mandate.Id, ct) ?? mandate, views, said, ct);
    }

    private static async Task<IResult> AnswerAsync(HttpRequest request, BundleWare ware, Mandate mandate, TopUpView views, string? error, CancellationToken ct)
    {
        var view = await views.OfAsync(mandate, MostShown, ct);
        if (Html(request)) return BuyAnswers.Page(TopUpPages.Page(ware, view, error), error is null ? 200 : 400);
        return error is null ? BuyAnswers.Json(200, json => view.Write(json, ware.Notice)) : BuyAnswers.Problem(Reasons.MalformedRequest, error);
    }

    private static IResult Missing() => BuyAnswers.Problem(Reasons.NotFound, "There is no such agreement here.");

    private static bool Html(HttpRequest request) => Accept.PrefersHtml(request.Headers.Accept.ToString());
}
