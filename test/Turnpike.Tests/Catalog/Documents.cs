using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Tests.Catalog;

/// <summary>Documents for tests, read with a made-up environment.</summary>
internal static class Documents
{
    /// <summary>Values as the shared scenarios have them; every one that is secret holds the word "hush".</summary>
    public static readonly IReadOnlyDictionary<string, string> Variables = new Dictionary<string, string>
    {
        ["TURNPIKE_ADMIN_KEY"] = "admin-hush",
        ["PRICER_TOKEN"] = "pricer-hush",
        ["OPENMETER_TOKEN"] = "openmeter-hush",
        ["LAGO_API_KEY"] = "lago-hush",
        ["USAGE_WEBHOOK_SECRET"] = "whsec_aHVzaC13ZWJob29rLXNlY3JldC1vZi0zMi1ieXRlcw==",
        ["TURNPIKE_TOKEN_SECRET"] = "hush-token-secret-of-more-than-32-bytes",
        ["TURNPIKE_MPP_SECRET"] = "hush-mpp-secret-of-more-than-32-bytes!!",
        ["OLD_MPP_SECRET"] = "hush-old-mpp-secret-of-more-than-32-bytes",
        ["PGPASSWORD"] = "hush:and/with@signs",
        ["CHAIN_RPC"] = "http://127.0.0.1:8545",
        ["PAY_TO"] = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        ["WALLET_KEY"] = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        ["SELLER"] = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        ["SELLER_TOKEN"] = "tp_bought",
        ["SETTLER_KEY"] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        ["STRIPE_SECRET_KEY"] = "sk_test_hush",
        ["STRIPE_PROFILE"] = "profile_test",
        ["STRIPE_WEBHOOK_SECRET"] = "whsec_hush",
        ["STRIPE_API"] = "http://127.0.0.1:12111",
        ["UPSTREAM"] = "http://127.0.0.1:9000",
        ["UPSTREAM_2"] = "http://127.0.0.1:9001",
        ["UPSTREAM_KEY"] = "upstream-hush",
        ["SHORT"] = "hush-short",
        ["AGENT_KEY"] = "agent-key-hush-0123456789",
        ["OLD_AGENT_KEY"] = "old-agent-key-hush",
        ["FREE_KEY"] = "free-key-hush-0123456789",
        ["PRO_KEY"] = "pro-key-hush-0123456789",
        ["ENTERPRISE_KEY"] = "enterprise-key-hush-0123456789",
        ["BROKEN_LINES"] = "hush\r\nx-admin: 1",
    };

    public static readonly ConfigEnvironment Environment = new(Variables.GetValueOrDefault, path => path == "secrets/mpp" ? "hush-from-a-file-of-more-than-32-bytes-long\n" : null);

    public static ConfigResult Load(string text) => Language.Loader.Load(text, "t.yaml", Environment);

    /// <summary>The catalog of a document that must be sound.</summary>
    public static ServiceCatalog Sound(string text)
    {
        var result = Load(text);
        result.ErrorLines.ShouldBeEmpty();
        return result.Catalog.ShouldNotBeNull();
    }

    /// <summary>A document with one free operation, and whatever stands in <paramref name="more"/> at the top level.</summary>
    public static string With(string more) => $"{more}\nservices: {{ s: {{ upstream: \"http://127.0.0.1:9000\", operations: {{ o: {{ match: GET /o, price: free }} }} }} }}\n";

    /// <summary>A file of the repository, by its path from the root.</summary>
    public static string FromRoot(string path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Turnpike.slnx"))) folder = folder.Parent;
        return Path.Combine(folder.ShouldNotBeNull().FullName, path);
    }
}
