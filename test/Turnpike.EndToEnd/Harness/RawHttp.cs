using System.Net.Sockets;
using System.Text;

namespace Turnpike.EndToEnd.Harness;

/// <summary>HTTP/1.1 by hand, for requests no client would send.</summary>
internal static class RawHttp
{
    /// <summary>Sends these bytes and reads until the answer's head is there and the connection rests or ends; at most half a minute.</summary>
    public static async Task<string> SendAsync(Uri server, string request)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(server.Host, server.Port, limit.Token);
        var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), limit.Token);
        var answer = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, limit.Token)) > 0) answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException) { /* the server may drop what it refuses */ }
        return answer.ToString();
    }

    /// <summary>A GET of a target exactly as written.</summary>
    public static Task<string> GetAsync(Uri server, string target, string headers = "") =>
        SendAsync(server, $"GET {target} HTTP/1.1\r\nHost: {server.Authority}\r\n{headers}Connection: close\r\n\r\n");

    /// <summary>The status of an answer; 0 when there was none.</summary>
    public static int StatusOf(string answer) => answer.Length > 12 && answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture) : 0;
}
