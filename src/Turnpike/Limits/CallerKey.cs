using System.Net;
using System.Net.Sockets;
using Turnpike.Catalog;

namespace Turnpike.Limits;

/// <summary>Who is counted together: the parts a limit names, of this call. A part that is absent drops out.</summary>
internal static class CallerKey
{
    private const int MostText = 128;

    public static string Of(Call call, IReadOnlyList<string> parts) => parts.Count switch
    {
        0 => "",
        1 => Part(call, parts[0]) ?? "",
        2 => $"{Joined(call, parts[0])}|{Joined(call, parts[1])}",
        _ => string.Join('|', parts.Select(part => Joined(call, part))),
    };

    /// <summary>
    /// An absent part leaves its place empty, and none may hold the mark between them: whoever chooses one part (a model, a task)
    /// must not come to stand where another caller is counted.
    /// </summary>
    private static string Joined(Call call, string part) => Part(call, part)?.Replace("|", "%7C", StringComparison.Ordinal) ?? "";

    private static string? Part(Call call, string part) => part switch
    {
        "caller" => call.Caller,
        "key" => call.Principal?.Credential,
        "organisation" => call.Principal?.Caller.Organisation,
        "payer" => call.Payer,
        "rail" => call.Rail,
        "model" => Bounded(call.Metered?.Asked),
        "address" => Network(call.Address, 32, 64),
        "address-prefix" => Network(call.Address, 24, 48),
        "plan" => call.Plan,
        "operation" => call.Operation.Name,
        "service" => call.Operation.Service,
        "task" => call.TaskName,
        _ => null,
    };

    private static string? Bounded(string? text) => text?.Length > MostText ? text[..MostText] : text;

    /// <summary>IPv6 callers own a /64 each; counting single addresses would count nothing.</summary>
    private static string Network(string address, int four, int six)
    {
        if (!IPAddress.TryParse(address, out var ip)) return address;
        if (ip.IsIPv4MappedToIPv6) ip = ip.MapToIPv4();
        var isFour = ip.AddressFamily == AddressFamily.InterNetwork;
        if (isFour && four == 32) return ip.ToString();
        var bytes = ip.GetAddressBytes();
        Array.Clear(bytes, (isFour ? four : six) / 8, bytes.Length - (isFour ? four : six) / 8);
        return $"{new IPAddress(bytes)}/{(isFour ? four : six)}";
    }
}
