using System.Text.Json;
using Turnpike.Protocols.Signing;

namespace Turnpike.Identity.OAuth;

/// <summary>
/// The published keys of one issuer. They are fetched when they are first needed, when they are old, and when a token names one that
/// is not there; the last at most twice a minute, so that made-up names cannot turn this gateway against the issuer. What was
/// fetched stays good while the issuer is silent.
/// </summary>
internal sealed class KeySource(HttpClient http, Uri url, TimeProvider time) : IDisposable
{
    public const int MostBytes = 256 * 1024, MostKeys = 64;
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Old = TimeSpan.FromMinutes(10), Between = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim one = new(1);
    private volatile IReadOnlyList<PublicKey>? keys;
    private DateTimeOffset fetched = DateTimeOffset.MinValue, tried = DateTimeOffset.MinValue;

    /// <summary>The keys a token may have been signed with; null while the issuer has never answered.</summary>
    public async ValueTask<IReadOnlyList<PublicKey>?> FindAsync(string? id, string? algorithm, CancellationToken ct)
    {
        var found = Matching(id, algorithm);
        if (found is { Count: > 0 } && time.GetUtcNow() - fetched < Old) return found;
        await RefreshAsync(ct);
        return Matching(id, algorithm);
    }

    private List<PublicKey>? Matching(string? id, string? algorithm) =>
        keys is { } all ? [.. all.Where(k => (id is null || k.Id == id) && (algorithm is null || k.Takes(algorithm))).Take(4)] : null;

    private async ValueTask RefreshAsync(CancellationToken ct)
    {
        await one.WaitAsync(ct);
        try
        {
            if (time.GetUtcNow() - tried < Between) return;
            tried = time.GetUtcNow();
            using var answer = await http.GetAsync(url, ct);
            if (!answer.IsSuccessStatusCode || PublicKey.ReadSet(await answer.Content.ReadAsByteArrayAsync(ct), MostKeys) is not { } read) return;
            (keys, fetched) = (read, time.GetUtcNow());
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException || e is OperationCanceledException && !ct.IsCancellationRequested) { /* silent: what is known stays */ }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();
}
