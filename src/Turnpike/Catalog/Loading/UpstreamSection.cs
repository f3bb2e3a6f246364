using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>The <c>upstream:</c> of a service: one URL, or targets with weights, a time-out and a health check.</summary>
internal static class UpstreamSection
{
    private static readonly Shape<string> LocalPath = new ScalarShape<string>("a path", (string t, out string? v) => (v = t).StartsWith('/') && !t.Any(char.IsWhiteSpace) ? null : "is no path; it begins with '/'", "^/[^ ]*$");

    private static readonly Key<Uri> TargetUrl = new("url", Shapes.Url, "Its address.") { Required = true, Example = "http://127.0.0.1:9000" };
    private static readonly Key<long> Weight = new("weight", Shapes.Integer(1, 1000), "Its share of the calls.") { Default = "1", Example = "3" };
    private static readonly Key<string> HealthPath = new("path", LocalPath, "A GET of it answers 2xx when the target is well.") { Required = true, Example = "/healthz" };
    private static readonly Key<TimeSpan> Every = new("every", Shapes.Duration, "How often to ask.") { Default = "10s", Example = "5s" };

    private static readonly Shape<UpstreamTarget> Target = new ShortOrMapShape<UpstreamTarget>(
        new ConvertedShape<Uri, UpstreamTarget>(Shapes.Url, url => new UpstreamTarget(url)),
        new MapShape<UpstreamTarget>([TargetUrl, Weight], m => new UpstreamTarget(m.Get(TargetUrl)!, (int)m.Get(Weight, 1L))));

    private static readonly Key<IReadOnlyList<UpstreamTarget>> Targets = new("targets", new ListShape<UpstreamTarget>(Target, least: 1), "Its addresses: a URL each, or url and weight.") { Default = "the one at url", Example = "[{ url: \"http://127.0.0.1:9000\", weight: 3 }]" };
    private static readonly Key<Uri> Url = new("url", Shapes.Url, "Its address, when there is one.") { Default = "those of targets", Example = "http://127.0.0.1:9000" };
    private static readonly Key<string> Balance = new("balance", new ChoiceShape<string>(("round-robin", "round-robin")), "How calls are shared: in turn, by weight.") { Default = "round-robin", Example = "round-robin" };
    private static readonly Key<TimeSpan> Timeout = new("timeout", Shapes.Duration, "How long it may take to begin its answer.") { Default = "100s", Example = "30s" };
    private static readonly Key<UpstreamHealth> Health = new("health", new MapShape<UpstreamHealth>([HealthPath, Every], m => new UpstreamHealth(m.Get(HealthPath)!, m.Get(Every, TimeSpan.FromSeconds(10)))), "How to ask whether a target is well; the unwell get no calls.") { Default = "not asked", Example = "{ path: /healthz, every: 5s }" };

    private static readonly Key<long> Failures = new("failures", Shapes.Integer(1, 1000), "How many calls in a row fail: no answer, or 5xx.") { Default = "5", Example = "5" };
    private static readonly Key<TimeSpan> For = new("for", Shapes.Duration, "How long the target is left alone; the next failure then opens it again.") { Default = "10s", Example = "10s" };
    private static readonly Key<UpstreamBreaker> Breaker = new("breaker", new MapShape<UpstreamBreaker>([Failures, For], m => new UpstreamBreaker((int)m.Get(Failures, 5L), m.Get(For, TimeSpan.FromSeconds(10)))), "Leaves a target alone that fails again and again; when all are left alone, calls are 503 before any money is held.") { Default = "no target is left alone", Example = "{ failures: 5, for: 10s }" };
    private static readonly Key<long> Retries = new("retries", Shapes.Integer(0, 5), "How often a call without a body goes to another target when none was reached, or a GET when it did not answer; paid once all the same.") { Default = "0", Example = "1" };
    private static readonly Key<IReadOnlyList<UpstreamTarget>> Fallback = new("fallback", new ListShape<UpstreamTarget>(Target, least: 1), "Where calls go when none of the targets takes them.") { Default = "nowhere", Example = "[\"http://127.0.0.1:9009\"]" };
    private static readonly Key<long> Calls = new("calls", Shapes.Integer(1, 100_000), "How many at once.") { Required = true, Example = "50" };
    private static readonly Key<long> Queue = new("queue", Shapes.Integer(0, 100_000), "How many more may wait.") { Default = "100", Example = "100" };
    private static readonly Key<TimeSpan> Wait = new("wait", Shapes.Duration, "How long one may wait.") { Default = "5s", Example = "5s" };
    private static readonly Key<UpstreamCapacity> Capacity = new("capacity", new MapShape<UpstreamCapacity>([Calls, Queue, Wait], m => new UpstreamCapacity((int)m.Get(Calls), (int)m.Get(Queue, 100L), m.Get(Wait, TimeSpan.FromSeconds(5)))), "How much it takes at once. More waits, in turn by the weight of plans; paid calls before free ones, known callers before strangers, and 503 for who has no place.") { Default = "as much as comes", Example = "{ calls: 50 }" };

    public static readonly Shape<Upstream> Shape = new ShortOrMapShape<Upstream>(
        new ConvertedShape<Uri, Upstream>(Shapes.Url, url => new Upstream { Targets = [new UpstreamTarget(url)] }),
        new MapShape<Upstream>([Url, Targets, Balance, Timeout, Health, Breaker, Retries, Fallback, Capacity], Build));

    private static Upstream? Build(MapValues m)
    {
        if (m.IsWritten(Url) == m.IsWritten(Targets))
        {
            m.At.Refuse("an upstream has either url or targets");
            return null;
        }
        return new Upstream
        {
            Targets = m.Get(Targets) ?? [new UpstreamTarget(m.Get(Url)!)],
            Timeout = m.Get(Timeout, TimeSpan.FromSeconds(100)),
            Health = m.Get(Health),
            Breaker = m.Get(Breaker),
            Retries = (int)m.Get(Retries, 0L),
            Fallback = m.Get(Fallback, []),
            Capacity = m.Get(Capacity),
        };
    }
}
