using System.Text;
using Turnpike.Admin.Cli;
using Turnpike.Audit;
using Turnpike.Protocols.Signing;
using Turnpike.Storage;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Admin;

/// <summary>The installation's signing keys: made once, published, replaced without losing what the old ones signed.</summary>
public sealed class KeysTests
{
    private const string Typ = "turnpike-test+jwt";

    [Fact]
    public async Task What_any_key_of_the_installation_signed_verifies_with_the_published_set()
    {
        using var folder = new TemporaryFolder();
        List<string> signed = [];
        for (var start = 0; start < 4; start++)
        {
            using var database = folder.Open();
            var store = new InstallationStore(database);
            using (var keys = await InstallationKeys.OpenAsync(store, default)) signed.Add(keys.Sign("{}"u8, Typ));
            if (start is 1 or 2) await InstallationKeys.RotateAsync(store, default);
        }
        using var last = folder.Open();
        var published = await InstallationKeys.PublishedAsync(new InstallationStore(last), default);
        published.Keys.Count.ShouldBe(3);
        signed.Select(text => Jws.Verify(text, Typ, published).Key!.Id).ShouldBe([published.Keys[2].Id, published.Keys[2].Id, published.Keys[1].Id, published.Keys[0].Id]);
    }

    [Fact]
    public async Task They_are_published_to_everyone_and_rotated_when_the_gateway_is_stopped()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.Http.GetAsync(new Uri(gateway.Public, "/.well-known/jwks.json"));
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/jwk-set+json");
        var text = await answer.Content.ReadAsStringAsync();
        text.ShouldNotContain("\"d\"");
        var key = JwkSet.Parse(Encoding.UTF8.GetBytes(text))!.Keys.Single();
        (await RunAsync(KeysCommand.RotateAsync, gateway)).Code.ShouldBe(1, "a gateway runs on this store");

        await gateway.StopAsync();
        var (code, said) = await RunAsync(KeysCommand.RotateAsync, gateway);
        code.ShouldBe(0);
        var (_, shown) = await RunAsync(KeysCommand.ShowAsync, gateway);
        var keys = JwkSet.Parse(Encoding.UTF8.GetBytes(shown))!.Keys;
        keys[1].Id.ShouldBe(key.Id);
        said.ShouldContain(keys[0].Id);
    }

    private static async Task<(int Code, string Output)> RunAsync(Func<string, Turnpike.Catalog.Document.ConfigEnvironment, TextWriter, TextWriter, CancellationToken, Task<int>> command, RunningGateway gateway)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        return (await command(gateway.Config, RunningGateway.Environment, output, err, default), output.ToString());
    }
}
