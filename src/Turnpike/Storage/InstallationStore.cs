using System.Security.Cryptography;

namespace Turnpike.Storage;

/// <summary>Keys the installation made for itself: all nodes of one database share them, and a restart keeps them.</summary>
internal sealed class InstallationStore(Database database)
{
    /// <summary>The 32 random bytes of this name; made when they are first asked for.</summary>
    public async ValueTask<byte[]> KeyAsync(string name, CancellationToken ct)
    {
        if (await FindAsync(name, ct) is { } known) return known;
        var made = RandomNumberGenerator.GetBytes(32);
        await database.WriteAsync(sql => sql.Run("insert into installation (name, value) values ($1, $2) on conflict (name) do nothing", name, made), ct);
        return (await FindAsync(name, ct))!;
    }

    /// <summary>Signing keys as PKCS #8, newest first.</summary>
    public async ValueTask<IReadOnlyList<byte[]>> SigningKeysAsync(CancellationToken ct) =>
        await database.ReadAsync(sql => sql.Query("select value from installation where substr(name, 1, 5) = 'sign:' order by name desc", row => row.Bytes(0)), ct);

    /// <summary>Adds the key of this number, unless another node was first.</summary>
    public ValueTask AddSigningKeyAsync(int number, byte[] pkcs8, CancellationToken ct) =>
        database.WriteAsync(sql => sql.Run("insert into installation (name, value) values ($1, $2) on conflict (name) do nothing", $"sign:{number:D6}", pkcs8), ct);

    private ValueTask<byte[]?> FindAsync(string name, CancellationToken ct) =>
        database.ReadAsync(sql => sql.First("select value from installation where name = $1", row => row.Bytes(0), name), ct);
}
