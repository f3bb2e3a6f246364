using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>
/// The catalog in force, and the watch over its file: a sound edit replaces it whole, a bad one changes nothing and is told.
/// It looks instead of listening: that works through links, network drives and containers alike, and the file system's events
/// would wake this process for every write to a database in the same folder.
/// </summary>
internal sealed partial class CatalogSource(CatalogLoader loader, ConfigEnvironment environment, string path, TimeProvider time, ILogger<CatalogSource> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly Lock reloading = new();
    private volatile ServiceCatalog? current;
    private Seen? seen;
    private ITimer? timer;
    private string? lastLook;

    /// <summary>The catalog in force. A call reads it once and keeps what it read.</summary>
    public ServiceCatalog Current => current ?? throw new InvalidOperationException("The configuration has not been opened.");

    /// <summary>Raised with the catalog before and after, when it has been replaced.</summary>
    public event Action<ServiceCatalog, ServiceCatalog>? Changed;

    /// <summary>Raised when an edit was refused: for the audit trail.</summary>
    public event Action<ConfigResult>? Refused;

    /// <summary>The first reading. With errors there is no catalog, and nothing to start.</summary>
    public ConfigResult Open()
    {
        lock (reloading)
        {
            var result = Read(null);
            current = result.Catalog;
            return result;
        }
    }

    /// <summary>Looks at the file and what it refers to; null when nothing is different from the last look.</summary>
    public ConfigResult? Reload()
    {
        // Followers are told under the lock, so that they see replacements in the order in which they happen.
        lock (reloading)
        {
            var before = Current;
            if (seen is not null && seen.IsStillSo(path, environment)) return null;
            // An editor may have moved the file away for a moment; what is gone is no edit.
            if (CatalogLoader.ReadText(path) is null) return null;
            var result = Read(before.Gateway);
            current = result.Catalog ?? before;
            Tell(before, result);
            return result;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        timer = time.CreateTimer(_ => Tick(), null, Look, Look);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => timer?.Dispose();

    private void Tick()
    {
        try
        {
            // Editors write in several steps: a file that two looks in a row find the same is whole.
            var text = CatalogLoader.ReadText(path);
            if (text == lastLook) Reload();
            lastLook = text;
        }
        catch (Exception e)
        {
            // Whoever follows the catalog failed; the watch goes on, or the next edit would go unseen.
            Log.FollowerFailed(logger, e);
        }
    }

    private void Tell(ServiceCatalog before, ConfigResult result)
    {
        foreach (var line in result.WarningLines) Log.Warned(logger, line);
        if (result.Catalog is { } after)
        {
            Log.Replaced(logger, before.Version, after.Version);
            Changed?.Invoke(before, after);
        }
        else
        {
            Log.Refused(logger, result.Errors.Count, before.Version, string.Join('\n', result.ErrorLines));
            Refused?.Invoke(result);
        }
    }

    private ConfigResult Read(GatewaySettings? running)
    {
        var text = CatalogLoader.ReadText(path);
        var files = new Dictionary<string, string?>(StringComparer.Ordinal);
        seen = new Seen(text, files);
        if (text is null) return new ConfigResult(null, [new ConfigError(1, 1, "", "the file cannot be read, or is larger than 4 MiB")], []) { File = path };
        return loader.Load(text, path, environment with { File = name => files[name] = environment.File(name) }, running);
    }

    /// <summary>What the last look saw: the document, and the files its references name, so that a rotated secret is an edit too.</summary>
    private sealed record Seen(string? Text, Dictionary<string, string?> Files)
    {
        public bool IsStillSo(string path, ConfigEnvironment environment) =>
            CatalogLoader.ReadText(path) == Text && Files.All(f => environment.File(f.Key) == f.Value);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Configuration {Before} replaced by {After}")]
        public static partial void Replaced(ILogger logger, string before, string after);

        [LoggerMessage(2, LogLevel.Error, "The edited configuration has {Count} errors and changes nothing; {Version} stays in force:\n{Errors}")]
        public static partial void Refused(ILogger logger, int count, string version, string errors);

        [LoggerMessage(3, LogLevel.Warning, "{Warning}")]
        public static partial void Warned(ILogger logger, string warning);

        [LoggerMessage(4, LogLevel.Error, "A follower of the configuration failed")]
        public static partial void FollowerFailed(ILogger logger, Exception failure);
    }
}
