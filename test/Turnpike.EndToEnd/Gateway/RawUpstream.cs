using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Turnpike.EndToEnd.Gateway;

/// <summary>An upstream that says exactly these bytes, one answer a connection, and keeps what it was asked; for what no web server would say.</summary>
internal sealed class RawUpstream : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly Task serving;

    public RawUpstream()
    {
        listener.Start();
        serving = ServeAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>What it says from now on, in Latin-1: one character is one byte.</summary>
    public string Says { get; set; } = "";

    /// <summary>The heads of the requests, in the same way.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    private async Task ServeAsync()
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(end.Token);
                await AnswerAsync(client.GetStream());
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException) { /* over, or the gate hung up */ }
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, end.Token) > 0) head.Append((char)one[0]);
        Asked.Enqueue(head.ToString());
        await stream.WriteAsync(Encoding.Latin1.GetBytes(Says), end.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await serving;
        end.Dispose();
    }
}
