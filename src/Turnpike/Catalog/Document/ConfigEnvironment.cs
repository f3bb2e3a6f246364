namespace Turnpike.Catalog.Document;

/// <summary>Where references are looked up: the variables and files a document may name. Each look-up gives null for what is not there.</summary>
internal sealed record ConfigEnvironment(Func<string, string?> Variable, Func<string, string?> File)
{
    private const int MostFileBytes = 64 << 10;

    /// <summary>This process's variables, and files relative to its working directory.</summary>
    public static ConfigEnvironment Process { get; } = new(Environment.GetEnvironmentVariable, ReadFile);

    private static string? ReadFile(string path)
    {
        try
        {
            var info = new FileInfo(path);
            return info.Exists && info.Length <= MostFileBytes ? System.IO.File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
