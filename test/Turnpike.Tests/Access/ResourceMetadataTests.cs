using System.Net;
using Turnpike.Tests.Admin;

namespace Turnpike.Tests.Access;

/// <summary>Where tokens for this service come from.</summary>
public sealed class ResourceMetadataTests
{
    private const string Path = "/.well-known/oauth-protected-resource";

    [Fact]
    public async Task It_names_the_authorization_servers_and_the_scopes()
    {
        await using var gateway = RunningGateway.Stopped();
        File.WriteAllText(gateway.Config, File.ReadAllText(gateway.Config)
            .Replace("callers:", "identity: { authorization-servers: [\"https://login.test\"] }\ncallers:", StringComparison.Ordinal)
            .Replace("match: GET /open,", "match: GET /open, scopes: [b, a],", StringComparison.Ordinal));
        await gateway.StartAsync();
        using var answer = await gateway.CallAsync(Path);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await answer.Content.ReadAsStringAsync()).ShouldBe($$"""{"resource":"{{gateway.Public.GetLeftPart(UriPartial.Authority)}}","authorization_servers":["https://login.test"],"bearer_methods_supported":["header"],"scopes_supported":["a","b"]}""");
    }

    [Fact]
    public async Task Without_any_there_is_no_such_page()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync(Path);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }
}
