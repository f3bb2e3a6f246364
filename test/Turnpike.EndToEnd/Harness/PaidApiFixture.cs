namespace Turnpike.EndToEnd.Harness;

/// <summary>One paid API for all tests of a class.</summary>
public sealed class PaidApiFixture(Chain chain) : IAsyncLifetime
{
    private PaidApi? api;

    internal PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain);

    /// <summary>After all its stories the books balance and the trail verifies.</summary>
    public async ValueTask DisposeAsync()
    {
        if (api is null) return;
        try { await api.BooksBalanceAsync(); }
        finally { await api.DisposeAsync(); }
    }
}
