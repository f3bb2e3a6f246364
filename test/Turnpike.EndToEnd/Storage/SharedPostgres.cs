using Turnpike.EndToEnd.Storage;

[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace Turnpike.EndToEnd.Storage;

/// <summary>The one <see cref="PostgresServer"/> of all tests that do not kill theirs: started when first asked for, gone with the run.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private static readonly SemaphoreSlim Starting = new(1);
    private static PostgresServer? running;

    public static async Task<PostgresServer> GetAsync()
    {
        await Starting.WaitAsync();
        try
        {
            return running ??= await PostgresServer.NewAsync();
        }
        finally
        {
            Starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (running is not null) await running.DisposeAsync();
    }
}
