using Npgsql;

namespace Turnpike.Storage.Postgres;

/// <summary>From <c>postgres://user:password@host:port,host:port/database?key=value</c> to connections as this store wants them.</summary>
internal static class PostgresLocation
{
    /// <summary>
    /// Acknowledged means durable, whatever the server's default; nothing waits for ever. A writer's statements find rows by their
    /// keys: they are planned once, and so that a plan made while a table was small is right when it is large.
    /// </summary>
    public const string WritingSession = """
        set statement_timeout = '30s'; set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '60s';
        set plan_cache_mode = 'force_generic_plan'; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off;
        select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'
        """;

    public const string ReadingSession = "set statement_timeout = '0'; set idle_in_transaction_session_timeout = '10min'";

    /// <summary>Held as long as somebody writes here: a copy is neither made from nor into a store in use.</summary>
    public const string Present = Patient + "; select pg_advisory_lock_shared(402, 2)";

    /// <summary>The copy's own: 0 when somebody writes here.</summary>
    public const string NobodyElse = "select case when pg_try_advisory_lock(402, 2) then 1 else 0 end";

    public const string Patient = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0";

    public static NpgsqlDataSource Open(string location)
    {
        var settings = Parse(location);
        settings.Pooling = false; // the store keeps its few connections itself
        settings.ApplicationName ??= "turnpike";
        settings.Timeout = 5;
        settings.CommandTimeout = 40; // the server's own time-out comes first, unless it is no longer there
        settings.KeepAlive = 0;
        settings.TcpKeepAlive = true;
        settings.TcpKeepAliveTime = 10;
        settings.TcpKeepAliveInterval = 5;
        settings.MaxAutoPrepare = 200;
        settings.AutoPrepareMinUsages = 2;
        settings.IncludeErrorDetail = false; // it quotes rows
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UseLoggerFactory(Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        return builder.Build();
    }

    /// <exception cref="StorageException">It is not of that form; the message does not repeat it.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string location)
    {
        var rest = location[(location.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var at = rest.LastIndexOf('@'); // a password that came by reference may hold any sign
        var (user, password) = at < 0 ? ("", "") : Cut(rest[..at], ':');
        var (place, query) = Cut(rest[(at + 1)..], '?');
        var (hosts, database) = Cut(place, '/');
        if (hosts.Length == 0 || database.Length == 0) throw Wrong("it needs a host and a database");
        try
        {
            var settings = new NpgsqlConnectionStringBuilder { Host = hosts, Database = Uri.UnescapeDataString(database) };
            if (user.Length > 0) settings.Username = Uri.UnescapeDataString(user);
            if (password.Length > 0) settings.Password = Uri.UnescapeDataString(password);
            if (hosts.Contains(',', StringComparison.Ordinal)) (settings.TargetSessionAttributes, settings.HostRecheckSeconds) = ("read-write", 1);
            foreach (var option in query.Split('&', StringSplitOptions.RemoveEmptyEntries)) Set(settings, option);
            return settings;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw Wrong("one of its parts is not understood");
        }
    }

    /// <summary>Runs what only one node may do at a time.</summary>
    public static void Alone(PostgresSql sql, Action act)
    {
        sql.Direct("set statement_timeout = 0; set lock_timeout = 0; select pg_advisory_lock(402, 1)");
        act(); // the lock goes with the connection, which is this act's own
    }

    public static void RequireDurable(PostgresSql sql)
    {
        if (sql.First("select current_setting('fsync')", row => row.Text(0)) != "on") throw new StorageException("PostgreSQL runs with fsync off: what it acknowledges is not durable, and money is not kept there.");
    }

    private static (string Before, string After) Cut(string text, char at) =>
        text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var i ? (text[..i], text[(i + 1)..]) : (text, "");

    // The names libpq has, as far as they mean something here.
    private static void Set(NpgsqlConnectionStringBuilder settings, string option)
    {
        var (name, value) = Cut(option, '=');
        value = Uri.UnescapeDataString(value);
        switch (name)
        {
            case "sslmode": settings.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true); break;
            case "sslrootcert": settings.RootCertificate = value; break;
            case "sslcert": settings.SslCertificate = value; break;
            case "sslkey": settings.SslKey = value; break;
            case "target_session_attrs": settings.TargetSessionAttributes = value; break;
            case "application_name": settings.ApplicationName = value; break;
            default: throw new KeyNotFoundException();
        }
    }

    private static StorageException Wrong(string why) => new($"The store is not of the form postgres://user:password@host:port/database: {why}.");
}
