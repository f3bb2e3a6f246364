using Turnpike.Storage;

namespace Turnpike.Tests.Storage;

/// <summary>A database in which nothing has happened yet: its steps are gone through once for all who begin with one.</summary>
internal static class EmptyDatabase
{
    private static readonly Lazy<byte[]> Bytes = new(Make);

    public static void Put(string path) => File.WriteAllBytes(path, Bytes.Value);

    private static byte[] Make()
    {
        using var folder = new TemporaryFolder();
        Database.Open(folder.Options with { Threaded = false }, TimeProvider.System).Dispose();
        return File.ReadAllBytes(folder.File);
    }
}
