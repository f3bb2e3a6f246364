using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Billing.Leaks;

/// <summary>The <c>leaks:</c> section.</summary>
internal static class LeakSection
{
    private static readonly Key<LeakPolicy> Policy = new("policy", new ChoiceShape<LeakPolicy>(("revoke", LeakPolicy.Revoke), ("cap", LeakPolicy.Cap), ("notify", LeakPolicy.Notify)), "What becomes of a key or token that was found in public: it ends, may spend nothing, or goes on and the owner is told. What is left of a token goes to a new one.") { Default = "revoke", Example = "revoke" };
    private static readonly Key<Uri> Keys = new("keys", Shapes.Url, "Where GitHub publishes the keys it signs with.") { Default = "https://api.github.com/meta/public_keys/secret_scanning", Example = "https://api.github.com/meta/public_keys/secret_scanning" };
    private static readonly Key<GithubReports> Github = new("github", new MapShape<GithubReports>([Keys], m => new GithubReports(m.Get(Keys) ?? new Uri("https://api.github.com/meta/public_keys/secret_scanning"))), "Takes reports of GitHub's secret scanning at POST /webhooks/github/secret-scanning.") { Default = "not taken", Example = "{}" };

    private static readonly Key<LeakSettings> Key = new("leaks", new MapShape<LeakSettings>([Policy, Github], m => new LeakSettings(m.IsWritten(Policy) ? m.Get(Policy) : LeakPolicy.Revoke, m.Get(Github)?.Keys)),
        "Keys and tokens that are found in public.") { Default = "nobody reports any", Example = "{ github: {}, policy: revoke }" };

    public static readonly Section Section = new(Scope.Document, Key);

    private sealed record GithubReports(Uri Keys);
}
