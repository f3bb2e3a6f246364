using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Turnpike.EndToEnd.Storage.Faults;

/// <summary>
/// Stands between gateways and PostgreSQL and understands just enough of its protocol (version 3) to know a writer's commit: it cuts
/// the connection before the commit reaches the server, or after the server has done it and before the answer comes back.
/// </summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private const int SslRequest = 80877103, GssRequest = 80877104;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, bool> open = new();
    private readonly CancellationTokenSource closing = new();
    private readonly int server;
    private int cutBefore, cutAfter, cuts, stallAfter;
    private volatile bool silent;

    public PostgresProxy(int server)
    {
        this.server = server;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How many commits were cut so far.</summary>
    public int Cuts => Volatile.Read(ref cuts);

    /// <summary>Nothing passes any more, in either direction, and nobody is told.</summary>
    public bool Silent
    {
        get => silent;
        set => silent = value;
    }

    /// <summary>The next commit of a writer never arrives.</summary>
    public void CutBeforeCommit() => Volatile.Write(ref cutBefore, 1);

    /// <summary>The next commit of a writer is done, and its answer is lost.</summary>
    public void CutAfterCommit() => Volatile.Write(ref cutAfter, 1);

    /// <summary>The n-th commit of a writer from now on is done, and then nothing passes any more until <see cref="Silent"/> is over: time to kill whoever waits for its answer.</summary>
    public void StallAfterCommit(int n) => Volatile.Write(ref stallAfter, n);

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        foreach (var client in open.Keys) client.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!closing.IsCancellationRequested)
        {
            try { _ = PassAsync(await listener.AcceptTcpClientAsync(closing.Token)); }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { return; }
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        open[client] = true;
        using var there = new TcpClient();
        try
        {
            await there.ConnectAsync(IPAddress.Loopback, server, closing.Token);
            client.NoDelay = there.NoDelay = true;
            var session = new Session();
            await GreetAsync(client.GetStream(), there.GetStream());
            await await Task.WhenAny(UpAsync(client.GetStream(), there.GetStream(), session), DownAsync(there.GetStream(), client.GetStream(), session));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or EndOfStreamException)
        {
            // cut
        }
        finally
        {
            open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    /// <summary>Before the start-up message a client may ask for encryption: not here.</summary>
    private async Task GreetAsync(NetworkStream client, NetworkStream there)
    {
        while (true)
        {
            var length = new byte[4];
            await client.ReadExactlyAsync(length, closing.Token);
            var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4];
            await client.ReadExactlyAsync(rest, closing.Token);
            if (rest.Length == 4 && BinaryPrimitives.ReadInt32BigEndian(rest) is SslRequest or GssRequest)
            {
                await client.WriteAsync("N"u8.ToArray(), closing.Token);
                continue;
            }
            await ListeningAsync();
            await there.WriteAsync((byte[])[.. length, .. rest], closing.Token);
            return;
        }
    }

    private async Task UpAsync(NetworkStream from, NetworkStream to, Session session)
    {
        while (true)
        {
            var message = await ReadAsync(from);
            await ListeningAsync();
            if (session.IsMarkedCommit(message) && Interlocked.Exchange(ref cutBefore, 0) == 1)
            {
                Interlocked.Increment(ref cuts);
                return;
            }
            await to.WriteAsync(message, closing.Token);
        }
    }

    private async Task DownAsync(NetworkStream from, NetworkStream to, Session session)
    {
        while (true)
        {
            var message = await ReadAsync(from);
            await ListeningAsync();
            if (message[0] == 'C' && message.AsSpan(5).StartsWith("COMMIT\0"u8) && session.Committing)
            {
                if (Interlocked.Exchange(ref cutAfter, 0) == 1)
                {
                    Interlocked.Increment(ref cuts);
                    return;
                }
                if (Volatile.Read(ref stallAfter) > 0 && Interlocked.Decrement(ref stallAfter) == 0)
                {
                    silent = true;
                    await ListeningAsync();
                    return;
                }
            }
            await to.WriteAsync(message, closing.Token);
        }
    }

    private async Task ListeningAsync()
    {
        while (silent) await Task.Delay(20, closing.Token);
    }

    private async Task<byte[]> ReadAsync(NetworkStream from)
    {
        var head = new byte[5];
        await from.ReadExactlyAsync(head, closing.Token);
        var message = new byte[1 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        head.CopyTo(message, 0);
        await from.ReadExactlyAsync(message.AsMemory(5), closing.Token);
        return message;
    }

    /// <summary>What a connection has prepared, and whether its round trip sets a writer's mark and commits.</summary>
    private sealed class Session
    {
        private readonly Dictionary<string, string> prepared = new(StringComparer.Ordinal);
        private volatile bool marked, committing;

        public bool Committing => committing;

        public bool IsMarkedCommit(byte[] message)
        {
            var body = message.AsSpan(5);
            switch ((char)message[0])
            {
                case 'P':
                    var name = Text(ref body);
                    prepared[name] = Text(ref body);
                    return false;
                case 'B':
                    Text(ref body);
                    var text = prepared.GetValueOrDefault(Text(ref body), "");
                    if (text.Contains("update writers set mark", StringComparison.Ordinal)) (marked, committing) = (true, false);
                    if (text != "commit") return false;
                    (committing, marked) = (marked, false);
                    return committing;
                default:
                    return false;
            }
        }

        private static string Text(ref Span<byte> body)
        {
            var end = body.IndexOf((byte)0);
            var text = Encoding.UTF8.GetString(body[..end]);
            body = body[(end + 1)..];
            return text;
        }
    }
}
