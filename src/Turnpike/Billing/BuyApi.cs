using Turnpike.Billing.Automatic;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Limits;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary><c>/buy/{operation}</c>: what is sold, the order, and the token that was bought; for people and for agents.</summary>
internal static class BuyApi
{
    /// <summary>Each order is a call to Stripe and a row of ours.</summary>
    private static readonly RateLimit Orders = new(20, TimeSpan.FromMinutes(1), []);

    public static void MapBuy(this WebApplication app)
    {
        var buy = app.MapGroup("/buy/{operation}").AddEndpointFilter(Private);
        buy.MapGet("", Show);
        buy.MapPost("", OrderAsync);
        buy.MapPost("/{bundle:int}", PayApi.PayAsync);
        buy.MapGet("/done", DoneAsync);
        buy.MapPost("/rotate", RotateAsync);
        buy.MapGet("/till", TillAsync);
        buy.MapPost("/till", PayAtTillAsync);
        buy.MapGet("/automatic", TopUpApi.ShowAsync);
        buy.MapPost("/automatic", TopUpApi.ChangeAsync);
    }

    private static IResult Show(string operation, HttpRequest request, CatalogSource catalog, SandboxCheckout sandbox)
    {
        if (BundleWare.Find(catalog.Current, operation) is not { } ware) return sandbox.Show(operation, request);
        return Html(request) ? BuyAnswers.Page(BuyPages.Form(ware, null), 200) : BuyAnswers.Json(200, ware.Write);
    }

    private static async Task<IResult> OrderAsync(string operation, HttpRequest request, CatalogSource catalog, SandboxCheckout sandbox, TokenSale sale, TokenDesk desk, TopUps topUps, RateCounters counters, CancellationToken ct)
    {
        if (BundleWare.Find(catalog.Current, operation) is not { } ware) return await sandbox.SellAsync(operation, request, ct);
        if (TooOften(request, catalog, counters) is { } refused) return refused;
        var form = await BuyForm.ReadAsync(request, ct);
        if (ware.Choose(form.Of("bundle")) is not { } bundle) return Refuse(request, ware, $"bundle is a number from 1 to {ware.Bundles.Count}.");
        var (terms, not) = Agreement.Read(ware, bundle, form);
        if (not is not null) return Refuse(request, ware, not);
        var (owner, unknown) = await OwnerAsync(ware, form, desk, ct);
        if (unknown is not null) return Refuse(request, ware, unknown);
        if (ware.IsSandbox) return await sandbox.OrderAsync(ware, bundle, Presented(request, form), terms, owner, Html(request), ct);
        if (ware.Checkout is null) return ware.PayUrl(bundle) is { } pay ? Results.Redirect(pay, permanent: false, preserveMethod: true) : Refuse(request, ware, "Nobody takes the price of this bundle.");
        var (topUp, why) = await ToTopUpAsync(ware, bundle, Presented(request, form), desk, ct);
        if (why is not null) return Refuse(request, ware, why);
        var (order, session) = await sale.BeginAsync(ware.Checkout, ware.Operation.Name, bundle, topUp, ware.Url, ct, terms?.Told, owner);
        if (session?.Url is not { } url) return BuyAnswers.Problem(Reasons.VerifierDown, "The checkout does not answer. Nothing was charged.");
        if (terms is not null) await topUps.AskAsync(order, terms, ct);
        return Html(request) ? Results.Redirect(url, permanent: false, preserveMethod: false) : BuyAnswers.Json(201, json => ware.Write(json, order, session));
    }

    private static async Task<IResult> DoneAsync(string operation, HttpRequest request, CatalogSource catalog, SandboxCheckout sandbox, TokenSale sale, TokenDesk desk, TopUpView topUps, CancellationToken ct)
    {
        if (Find(catalog, operation, sandbox) is not { } ware || await LookAsync(ware, sale, request.Query["session_id"].ToString(), ct) is not { } order) return NotFound();
        return await ToldAsync(request, ware, order, sale, desk, topUps, ct);
    }

    private static async Task<IResult> RotateAsync(string operation, HttpRequest request, CatalogSource catalog, SandboxCheckout sandbox, TokenSale sale, TokenDesk desk, TopUpView topUps, CancellationToken ct)
    {
        var session = (await BuyForm.ReadAsync(request, ct)).Of("session_id");
        if (Find(catalog, operation, sandbox) is not { } ware || await LookAsync(ware, sale, session ?? "", ct) is not { Status: PurchaseStatus.Paid } order) return NotFound();
        if (!await sale.RotateAsync(order, ct)) return BuyAnswers.Problem(Reasons.TokenRevoked, "This token cannot be replaced.");
        return await ToldAsync(request, ware, order, sale, desk, topUps, ct);
    }

    private static async Task<IResult> ToldAsync(HttpRequest request, BundleWare ware, Purchase order, TokenSale sale, TokenDesk desk, TopUpView topUps, CancellationToken ct)
    {
        var html = Html(request);
        if (order.Status == PurchaseStatus.Ended) return Gone(ware, html, "The checkout ended without a payment. Nothing was charged.");
        if (order.Status == PurchaseStatus.Open)
        {
            request.HttpContext.Response.Headers.RetryAfter = "5";
            return html ? BuyAnswers.Page(BuyPages.Waiting(ware), 202) : BuyAnswers.Json(202, json => ware.Write(json, order, null));
        }
        if (await sale.ShowAsync(order, ct) is not { } token) return Gone(ware, html, "This token has been shown too often, or too long ago. Ask the seller.");
        var (left, _) = await desk.LeftAsync(token, ct);
        // Whoever topped a token up has it; the page's address alone is no right to see somebody's token.
        var text = order.TopUp ? null : ware.Prepaid.Text.Of(token.Id);
        var (automatic, back) = (await topUps.OfAsync(order, ct), await sale.RefundedAsync(order, ct));
        return html ? BuyAnswers.Page(BuyPages.Sold(ware, order, token, left, text, back, automatic), 200) : BuyAnswers.Json(200, json => ware.Write(json, order, token, left, text, automatic, back));
    }

    private static async Task<IResult> TillAsync(string operation, HttpRequest request, CatalogSource catalog, SandboxCheckout sandbox, TokenSale sale, MandateStore mandates, CancellationToken ct) =>
        Find(catalog, operation, sandbox) is { IsSandbox: true } ware && await LookAsync(ware, sale, request.Query["session_id"].ToString(), ct) is { } order
            ? order.Status == PurchaseStatus.Open ? BuyAnswers.Page(SandboxPages.Till(ware, order, await mandates.FindByPurchaseAsync(order.Id, ct)), 200) : Results.Redirect(ware.Done(order.Session!), permanent: false, preserveMethod: false)
            : NotFound();

    private static async Task<IResult> PayAtTillAsync(string operation, HttpRequest request, CatalogSource catalog, SandboxCheckout sandbox, TokenSale sale, MandateStore mandates, CancellationToken ct)
    {
        var form = await BuyForm.ReadAsync(request, ct);
        if (Find(catalog, operation, sandbox) is not { IsSandbox: true } ware || await LookAsync(ware, sale, form.Of("session_id") ?? "", ct) is not { } order) return NotFound();
        if (form.Of("pay") == "declined" && order.Status == PurchaseStatus.Open)
            return Html(request) ? BuyAnswers.Page(SandboxPages.Till(ware, order, await mandates.FindByPurchaseAsync(order.Id, ct), declined: true), 402) : BuyAnswers.Problem(Reasons.SettlementFailed, "The test card was declined. Nothing was charged; the order waits.");
        await sale.PayWithTestMoneyAsync(order, pays: form.Of("pay") == "yes", ct);
        return Results.Redirect(ware.Done(order.Session!), permanent: false, preserveMethod: false);
    }

    /// <summary>What is sold: bundles, or a budget of one's own choice for test money.</summary>
    private static BundleWare? Find(CatalogSource catalog, string operation, SandboxCheckout sandbox) => BundleWare.Find(catalog.Current, operation) ?? sandbox.Find(operation)?.ToBundles();

    private static async ValueTask<Purchase?> LookAsync(BundleWare ware, TokenSale sale, string session, CancellationToken ct) =>
        session.Length is > 0 and <= 200 && await sale.LookAsync(ware.Checkout, session, ct) is { } order && order.Operation == ware.Operation.Name ? order : null;

    /// <summary>The token to add to, when one is presented, and why it cannot be added to.</summary>
    public static async ValueTask<(Token? Token, string? WhyNot)> ToTopUpAsync(BundleWare ware, Payments.Bundle bundle, string? text, TokenDesk desk, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(text)) return (null, null);
        var token = ware.Prepaid.Text.Read(text).Id is { } id ? await desk.FindAsync(id, ct) : null;
        return (token, WhyNot(token, ware, bundle));
    }

    /// <summary>Whose the new token is to be: the owner's of the one that is named beside it, by who has that one's text.</summary>
    private static async ValueTask<(string? Owner, string? WhyNot)> OwnerAsync(BundleWare ware, BuyForm form, TokenDesk desk, CancellationToken ct)
    {
        if (form.Of("beside")?.Trim() is not { Length: > 0 } text) return (null, null);
        return ware.Prepaid.Text.Read(text).Id is { } id && await desk.FindAsync(id, ct) is { Status: TokenStatus.Active, Parent: null } token ? (token.Lineage, null) : (null, "beside: the text of a token of yours that may be spent, tp_….");
    }

    /// <summary>Why a token cannot be topped up with this; null when it can.</summary>
    public static string? WhyNot(Token? token, BundleWare ware, Payments.Bundle bundle) => token switch
    {
        null => "The token is not one of ours.",
        { Status: TokenStatus.Revoked } => "The token has been revoked.",
        { Status: TokenStatus.Frozen } => "The token is frozen.",
        { Parent: not null } => "The token has no money of its own; top its standing grant up.",
        { Operations.Count: > 0 } when !token.Operations.Contains(ware.Operation.Name) => $"The token opens {string.Join(", ", token.Operations)}, not this.",
        _ when token.Budget.Currency != bundle.Budget.Currency => $"The token holds {token.Budget.Currency}.",
        { Calls: not null } when bundle.Calls is null => "The token counts its calls, and this bundle has none.",
        _ => null,
    };

    public static string? Presented(HttpRequest request, BuyForm form)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : form.Of("token")?.Trim();
    }

    private static IResult Refuse(HttpRequest request, BundleWare ware, string why) => Html(request) ? BuyAnswers.Page(BuyPages.Form(ware, why), 400) : BuyAnswers.Problem(Reasons.MalformedRequest, why);

    private static IResult Gone(BundleWare ware, bool html, string why) => html ? BuyAnswers.Page(BuyPages.Gone(ware, why), 410) : Results.Problem(why, statusCode: 410, title: "Not shown", type: Reasons.NotFound.Type, extensions: new Dictionary<string, object?> { ["reason"] = Reasons.NotFound.Code });

    private static IResult NotFound() => BuyAnswers.Problem(Reasons.NotFound, "There is no such purchase here.");

    /// <summary>Null: it may be ordered.</summary>
    public static IResult? TooOften(HttpRequest request, CatalogSource catalog, RateCounters counters)
    {
        var origin = Origin.Of(request.HttpContext, catalog.Current.Gateway);
        if (origin.Loopback || counters.TryTake("orders", origin.Address, Orders, out var wait)) return null;
        request.HttpContext.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return BuyAnswers.Problem(Reasons.TooManyUnpaid, "Too many orders from this address.");
    }

    private static bool Html(HttpRequest request) => Accept.PrefersHtml(request.Headers.Accept.ToString());

    /// <summary>Pages that show tokens and bills: kept by nobody, framed by nobody, and their address, which may show a token, is told to nobody.</summary>
    public static ValueTask<object?> Private(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var headers = context.HttpContext.Response.Headers;
        headers.CacheControl = "private, no-store";
        // A browser applies form-action to the redirect as well: the order's form ends at the checkout's own page.
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' https: http://127.0.0.1:*; frame-ancestors 'none'; base-uri 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        return next(context);
    }
}
