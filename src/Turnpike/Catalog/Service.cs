namespace Turnpike.Catalog;

/// <summary>An upstream and what it sells.</summary>
internal sealed record Service
{
    public required string Name { get; init; }

    public string? Description { get; init; }

    /// <summary>Only for this host name, when given; lower case, without port.</summary>
    public string? Host { get; init; }

    /// <summary>Cut off the path before matching and forwarding. Empty or <c>/x</c> without a trailing slash.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>A canonical target of this service as its upstream knows it: without the prefix.</summary>
    public string Below(string target)
    {
        if (Prefix.Length == 0) return target;
        return target.Length > Prefix.Length && target[Prefix.Length] == '/' ? target[Prefix.Length..] : "/" + target[Prefix.Length..];
    }

    /// <summary>True for an upstream sold whole: one operation of the service's own name at <c>/g/{name}/…</c>.</summary>
    public bool Wrapped { get; init; }

    public required Upstream Upstream { get; init; }

    /// <summary>Headers added to every forwarded request: the upstream's own key. The caller never sees them.</summary>
    public IReadOnlyList<KeyValuePair<string, Secret>> Headers { get; init; } = [];

    public required IReadOnlyList<Operation> Operations { get; init; }

    /// <summary>What other slices own of it.</summary>
    public SettingsBag Settings { get; init; } = SettingsBag.Empty;

    /// <summary>The keys in <see cref="Headers"/>, to be starred out should the upstream echo them.</summary>
    public InjectedSecrets Injected => injected ??= new InjectedSecrets(Headers);

    private InjectedSecrets? injected;
}

/// <summary>Where a service's calls go.</summary>
internal sealed record Upstream
{
    public required IReadOnlyList<UpstreamTarget> Targets { get; init; }

    /// <summary>How long the upstream may take to begin its answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    public UpstreamHealth? Health { get; init; }

    /// <summary>When a target that fails is left alone; null: never.</summary>
    public UpstreamBreaker? Breaker { get; init; }

    /// <summary>How often a call that no target has answered goes to another one.</summary>
    public int Retries { get; init; }

    /// <summary>Where calls go when none of the targets takes them.</summary>
    public IReadOnlyList<UpstreamTarget> Fallback { get; init; } = [];

    /// <summary>How much it takes at once; null: as much as comes.</summary>
    public UpstreamCapacity? Capacity { get; init; }
}

/// <summary>So many failures in a row, and a target is left alone for so long.</summary>
internal sealed record UpstreamBreaker(int Failures, TimeSpan For);

/// <summary>So many calls at once; so many more wait, for so long at most.</summary>
internal sealed record UpstreamCapacity(int Calls, int Queue, TimeSpan Wait);

/// <summary>One address of an upstream, with its share of the calls.</summary>
internal sealed record UpstreamTarget(Uri Url, int Weight = 1);

/// <summary>How to ask whether a target is well.</summary>
internal sealed record UpstreamHealth(string Path, TimeSpan Every);
