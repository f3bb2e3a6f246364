using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Protocols.Http;

namespace Turnpike.Billing.Leaks;

/// <summary>
/// The public keys GitHub signs its reports with: fetched when one is not known, at most twice a minute, so that made-up names cannot
/// turn this gateway against GitHub. What was fetched stays good while GitHub is silent.
/// </summary>
internal sealed class GithubKeys(HttpClients clients, TimeProvider time) : IDisposable
{
    private const int MostBytes = 256 * 1024, MostKeys = 32;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim one = new(1);
    private volatile FrozenDictionary<string, string> pems = FrozenDictionary<string, string>.Empty;
    private DateTimeOffset tried = DateTimeOffset.MinValue;

    /// <summary>True when this body, byte for byte, was signed by that key (ECDSA P-256, SHA-256, DER). Null: the key cannot be had.</summary>
    public async ValueTask<bool?> HoldsAsync(Uri url, string id, string signature, byte[] body, CancellationToken ct)
    {
        if (!pems.ContainsKey(id)) await RefreshAsync(url, ct);
        if (!pems.TryGetValue(id, out var pem)) return pems.Count == 0 ? null : false;
        Span<byte> der = stackalloc byte[128];
        if (!Convert.TryFromBase64String(signature, der, out var length)) return false;
        using var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return key.VerifyData(body, der[..length], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private async ValueTask RefreshAsync(Uri url, CancellationToken ct)
    {
        await one.WaitAsync(ct);
        try
        {
            if (time.GetUtcNow() - tried < Between) return;
            tried = time.GetUtcNow();
            using var client = clients(url, Timeout, MostBytes);
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.UserAgent.ParseAdd("turnpike"); // GitHub refuses whoever has no name
            using var answer = await client.SendAsync(request, ct);
            if (answer.IsSuccessStatusCode && Read(await answer.Content.ReadAsByteArrayAsync(ct)) is { Count: > 0 } read) pems = read;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested) { /* silent: what is known stays */ }
        finally { one.Release(); }
    }

    private static FrozenDictionary<string, string>? Read(byte[] text)
    {
        if (StrictJson.Parse(text) is not { ValueKind: JsonValueKind.Object } document || !document.TryGetProperty("public_keys", out var keys) || keys.ValueKind != JsonValueKind.Array) return null;
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in keys.EnumerateArray().Take(MostKeys))
            if (key.ValueKind == JsonValueKind.Object && key.TryGetProperty("key_identifier", out var id) && id.ValueKind == JsonValueKind.String && key.TryGetProperty("key", out var pem) && pem.ValueKind == JsonValueKind.String && IsP256(pem.GetString()!))
                found[id.GetString()!] = pem.GetString()!;
        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static bool IsP256(string pem)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            return key.KeySize == 256;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException) { return false; }
    }

    public void Dispose() => one.Dispose();
}
