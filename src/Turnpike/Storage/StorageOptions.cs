namespace Turnpike.Storage;

/// <summary>How a database is opened.</summary>
internal enum StorageAccess
{
    /// <summary>The one process that writes: the server, or a command while no server runs.</summary>
    Write,

    /// <summary>Commands that only look, also while the server runs.</summary>
    Read,
}

/// <summary>Where the database is. <see cref="Location"/> is <c>sqlite:path</c>, relative to the working directory.</summary>
internal sealed record StorageOptions(string Location, StorageAccess Access = StorageAccess.Write)
{
    private const string Scheme = "sqlite:";

    /// <summary>False where a simulation decides when the writer writes.</summary>
    public bool Threaded { get; init; } = true;

    /// <summary>The file's full path.</summary>
    /// <exception cref="StorageException">The location is not one this version knows.</exception>
    public string FilePath =>
        Location.StartsWith(Scheme, StringComparison.Ordinal) && Location.Length > Scheme.Length
            ? Path.GetFullPath(Location[Scheme.Length..])
            : throw new StorageException($"The database '{Location}' is not of the form sqlite:path.");
}
