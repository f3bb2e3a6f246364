using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Turnpike.EndToEnd.Harness;

/// <summary>Free loopback ports for other processes: below those the system gives to connections, and never the same twice in a run.</summary>
internal static class Ports
{
    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        lock (Given)
        {
            while (true)
            {
                var port = RandomNumberGenerator.GetInt32(20_000, 32_000);
                if (IsFree(port) && Given.Add(port)) return port;
            }
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
