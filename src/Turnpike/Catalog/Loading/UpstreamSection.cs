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

    public static readonly Shape<Upstream> Shape = new ShortOrMapShape<Upstream>(
        new ConvertedShape<Uri, Upstream>(Shapes.Url, url => new Upstream { Targets = [new UpstreamTarget(url)] }),
        new MapShape<Upstream>([Url, Targets, Balance, Timeout, Health], Build));

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
        };
    }
}
