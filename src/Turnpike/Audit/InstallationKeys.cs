using Turnpike.Protocols.Signing;
using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>
/// The installation's signing keys: one signs, all are published, so that what an earlier one signed still verifies. All nodes of a
/// database share them; a node signs with the one that was current when it started.
/// </summary>
internal sealed class InstallationKeys : IDisposable
{
    private readonly InstallationStore store;
    private readonly SigningKey current;

    private InstallationKeys(InstallationStore store, SigningKey current) => (this.store, this.current) = (store, current);

    /// <summary>The keys; the first is made when there is none.</summary>
    public static async ValueTask<InstallationKeys> OpenAsync(InstallationStore store, CancellationToken ct)
    {
        var known = await store.SigningKeysAsync(ct);
        if (known.Count == 0) known = await AddAsync(store, 1, ct);
        return new InstallationKeys(store, SigningKey.FromPkcs8(known[0]));
    }

    /// <summary>Makes a new key the one that signs, from the next start of each node on.</summary>
    /// <returns>Its id.</returns>
    public static async ValueTask<string> RotateAsync(InstallationStore store, CancellationToken ct)
    {
        var known = await AddAsync(store, (await store.SigningKeysAsync(ct)).Count + 1, ct);
        using var newest = SigningKey.FromPkcs8(known[0]);
        return newest.Public.Id;
    }

    /// <summary>What <c>/.well-known/jwks.json</c> says, the current key first; asked of the store, for another node may have made one.</summary>
    public static async ValueTask<JwkSet> PublishedAsync(InstallationStore store, CancellationToken ct) => new([.. (await store.SigningKeysAsync(ct)).Select(Public)]);

    /// <inheritdoc cref="PublishedAsync(InstallationStore, CancellationToken)"/>
    public ValueTask<JwkSet> PublishedAsync(CancellationToken ct) => PublishedAsync(store, ct);

    /// <summary>A document signed by the installation (<see cref="Jws"/>).</summary>
    /// <param name="typ">What it is: whoever verifies it asks for the same.</param>
    public string Sign(ReadOnlySpan<byte> payload, string typ) => Jws.Sign(payload, typ, current);

    public void Dispose() => current.Dispose();

    private static async ValueTask<IReadOnlyList<byte[]>> AddAsync(InstallationStore store, int number, CancellationToken ct)
    {
        using var made = SigningKey.Create();
        await store.AddSigningKeyAsync(number, made.ToPkcs8(), ct);
        return await store.SigningKeysAsync(ct);
    }

    private static Jwk Public(byte[] pkcs8)
    {
        using var key = SigningKey.FromPkcs8(pkcs8);
        return key.Public;
    }
}
