namespace Turnpike.Storage;

/// <summary>How a database is opened.</summary>
internal enum StorageAccess
{
    /// <summary>The one process that writes a file, or one of the nodes that write a server's database.</summary>
    Write,

    /// <summary>Commands that only look, also while the server runs.</summary>
    Read,

    /// <summary>Nothing is written, and nobody else writes meanwhile.</summary>
    CopyFrom,

    /// <summary>Written by one process alone, also where several might.</summary>
    CopyTo,
}

/// <summary>
/// Where the database is. <see cref="Location"/> is <c>sqlite:path</c>, relative to the working directory, or
/// <c>postgres://user:password@host:port,host:port/database?options</c>. It may hold a password: it is not for logs.
/// </summary>
internal sealed record StorageOptions(string Location, StorageAccess Access = StorageAccess.Write)
{
    private const string Scheme = "sqlite:";

    /// <summary>False where a simulation decides when the writer writes.</summary>
    public bool Threaded { get; init; } = true;

    public bool IsPostgres => Location.StartsWith("postgres://", StringComparison.Ordinal) || Location.StartsWith("postgresql://", StringComparison.Ordinal);

    /// <summary>The file's full path.</summary>
    /// <exception cref="StorageException">The location is not one this version knows.</exception>
    public string FilePath =>
        Location.StartsWith(Scheme, StringComparison.Ordinal) && Location.Length > Scheme.Length
            ? Path.GetFullPath(Location[Scheme.Length..])
            : throw new StorageException("The store is not of the form sqlite:path or postgres://user:password@host:port/database.");

    /// <summary>Without user and password.</summary>
    public override string ToString() => IsPostgres ? "postgres://" + Location[(Location.LastIndexOf('@') is >= 0 and var at ? at + 1 : Location.IndexOf("://", StringComparison.Ordinal) + 3)..] : Location;
}
