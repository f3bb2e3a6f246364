namespace Turnpike.EndToEnd.Harness;

/// <summary>One paid API for all tests of a class.</summary>
public sealed class PaidApiFixture(Chain chain) : IAsyncLifetime
{
    private PaidApi? api;

    internal PaidApi Api => api!;

    public async ValueTask InitializeAsync() => api = await PaidApi.StartAsync(chain);

    public ValueTask DisposeAsync() => api?.DisposeAsync() ?? ValueTask.CompletedTask;
}
