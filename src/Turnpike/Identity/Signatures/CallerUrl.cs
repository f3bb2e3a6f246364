using Turnpike.Catalog;

namespace Turnpike.Identity.Signatures;

/// <summary>Where a caller sent its request, as the configuration says and never as the Host header does: what it signed is compared with this.</summary>
internal static class CallerUrl
{
    public static string Authority(Call call)
    {
        var url = call.Catalog.Gateway.Url;
        return call.Catalog.ServiceOf(call.Operation).Host is not { } host ? url.Authority : url.IsDefaultPort ? host : $"{host}:{url.Port}";
    }

    public static string Scheme(Call call) => call.Catalog.Gateway.Url.Scheme;

    /// <summary>Without query: what a DPoP proof names (RFC 9449 §4.2).</summary>
    public static string WithoutQuery(Call call) => $"{Scheme(call)}://{Authority(call)}{call.Target.Path}";
}
