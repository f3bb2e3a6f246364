using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Payments;
using Turnpike.Payments.Prepaid;
using Turnpike.Tokens;

namespace Turnpike.Gateway.Own;

/// <summary>
/// Who looks at what is its own: <c>/balance</c> and <c>/usage</c> are answered to the holder of a prepaid token, or to a caller, by the
/// very proofs that operations take.
/// </summary>
internal sealed class OwnPath
{
    private OwnPath(string? token, Call? call, IResult? refused) => (Token, Call, Refused) = (token, call, refused);

    /// <summary>The id of the token presented.</summary>
    public string? Token { get; }

    /// <summary>The call of a caller that proved who it is.</summary>
    public Call? Call { get; }

    public IResult? Refused { get; }

    public static async ValueTask<OwnPath> ReadAsync(HttpContext http, string name, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "private, no-store";
        Answers.AllowBrowsers(http);
        if (http.Target().Error is not null) return new(null, null, Problem(Reasons.AmbiguousTarget, "The target is refused."));
        var catalog = http.RequestServices.GetRequiredService<CatalogSource>().Current;
        var call = http.ReadCall(catalog, new Operation { Service = "", Name = name, Method = "GET", Path = PathPattern.Parse("/" + name, out _)!, Identity = IdentityRule.Required });
        if (Identity.Presented.Prepaid(call) is { } text) return catalog.Settings.Get<PaymentSettings>()?.Prepaid?.Text.Read(text).Id is { } id ? await OfTokenAsync(http, call, id, ct) : Unknown(http);
        var refused = await http.RequestServices.GetRequiredService<CallerDirectory>().IdentifyAsync(call, ct) as Refusal;
        if (refused is null && call.Principal is not null) return new(null, call, null);
        if (refused is null || refused.Reason == Reasons.IdentityRequired) return Unknown(http);
        if (refused.Challenges.Count > 0) http.Response.Headers.WWWAuthenticate = refused.Challenges.ToArray();
        return new(null, null, Problem(refused.Reason, refused.Detail));
    }

    /// <summary>What a token has is told to who may spend it: beside a proof, where it is bound to a key.</summary>
    private static async ValueTask<OwnPath> OfTokenAsync(HttpContext http, Call call, string id, CancellationToken ct)
    {
        if (await http.RequestServices.GetRequiredService<TokenStore>().FindAsync(id, ct) is not { BoundTo.Count: > 0 } token) return new(id, null, null);
        var refused = await http.RequestServices.GetRequiredService<CallerDirectory>().IdentifyAsync(call, ct) as Refusal;
        if (refused is not null && refused.Reason != Reasons.IdentityRequired) return new(null, null, Problem(refused.Reason, refused.Detail));
        return token.MayBePresentedBy(call.SignedBy) ? new(id, null, null) : new(null, null, Problem(Reasons.ProofRequired, PrepaidMethod.Unproved.Detail));
    }

    public static IResult Problem(Reason reason, string detail) =>
        Results.Problem(detail, statusCode: reason.Status, title: reason.Title, type: reason.Type, extensions: new Dictionary<string, object?> { ["reason"] = reason.Code, ["hint"] = reason.Hint });

    public static OwnPath Unknown(HttpContext http)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"turnpike\"";
        return new(null, null, Problem(Reasons.UnknownKey, "Present a token as 'Authorization: Bearer tp_…', or a caller's key."));
    }
}
