using System.Net;
using Turnpike.Catalog;

namespace Turnpike.Limits;

/// <summary>Who is counted together: the parts a limit names, of this call. A part that is absent drops out.</summary>
internal static class CallerKey
{
    public static string Of(Call call, IReadOnlyList<string> parts) => parts.Count switch
    {
        0 => "",
        1 => Part(call, parts[0]) ?? "",
        _ => string.Join('|', parts.Select(part => Part(call, part)).Where(value => value is not null)),
    };

    private static string? Part(Call call, string part) => part switch
    {
        "caller" => call.Caller,
        "key" => call.Principal?.Credential,
        "organisation" => call.Principal?.Caller.Organisation,
        "model" => call.Metered?.Asked,
        "address" => Network(call.Address),
        "plan" => call.Plan,
        "operation" => call.Operation.Name,
        "service" => call.Operation.Service,
        _ => null,
    };

    /// <summary>IPv6 callers own a /64 each; counting single addresses would count nothing.</summary>
    private static string Network(string address)
    {
        if (!IPAddress.TryParse(address, out var ip) || ip.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6 || ip.IsIPv4MappedToIPv6) return address;
        return Convert.ToHexString(ip.GetAddressBytes().AsSpan(0, 8));
    }
}
