using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Turnpike.EndToEnd.Harness;

/// <summary>
/// Free loopback ports for other processes: below those the system gives to connections, and never the same twice, in this run or in
/// another beside it on the machine. Each is held by a locked file while this process lives, also when nobody listens there for a moment.
/// </summary>
internal static class Ports
{
    private static readonly DirectoryInfo Folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "turnpike-e2e-ports"));
    private static readonly List<FileStream> Given = [];

    public static int Next()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
            if (!TryHold(port, out var held)) continue;
            if (!IsFree(port)) { held.Dispose(); continue; }
            lock (Given) Given.Add(held);
            return port;
        }
    }

    /// <summary>Holds a port until it is given back; false while another run does.</summary>
    public static bool TryHold(int port, out FileStream held)
    {
        held = null!;
        try { held = new FileStream(Path.Combine(Folder.FullName, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return false; }
        return true;
    }

    /// <summary>Nobody takes connections there any more.</summary>
    public static async Task<bool> IsClosedAsync(int port)
    {
        using var caller = new TcpClient();
        try
        {
            await caller.ConnectAsync(IPAddress.Loopback, port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    public static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
