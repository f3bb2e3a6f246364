namespace Turnpike.Tests.Architecture;

/// <summary>The laws over text, fed what they forbid. The words are put together here, or these tests would break the laws they test.</summary>
public sealed class TextLawsCanFailTests
{
    [Fact]
    public void A_stray_file_at_the_root_is_found()
    {
        TextLaws.KnownRoot(["PLAN.md", "README.md", "src/PLAN.md"]).ShouldHaveSingleItem().ShouldStartWith("PLAN.md:1");
    }

    [Theory]
    [InlineData("// TO", "DO: later")]
    [InlineData("# FIX", "ME")]
    [InlineData("throw new NotImplemented", "Exception();")]
    public void Unfinished_marks_are_found(string one, string two)
    {
        TextLaws.NothingUnfinished("a.mjs", "x\n" + one + two).ShouldHaveSingleItem().ShouldStartWith("a.mjs:2");
        TextLaws.NothingUnfinished("a.mjs", "A method. A hacker. todo()").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("tmp")]
    [InlineData("home")]
    [InlineData("Users")]
    public void Paths_of_a_machine_are_found(string folder)
    {
        TextLaws.NoMachinePaths("a.md", "cd /" + folder + "/someone").ShouldHaveSingleItem().ShouldStartWith("a.md:1");
        TextLaws.NoMachinePaths("a.md", "GET https://host/" + folder + "/x and src/" + folder + "/x").ShouldBeEmpty();
    }

    [Fact]
    public void Package_registries_are_found() =>
        TextLaws.NoRegistryHosts("a.json", "\n\"https://registry" + ".npm" + "js.org/x\"").ShouldNotBeEmpty();

    [Fact]
    public void Links_that_lead_nowhere_are_found()
    {
        static string? Read(string path) => path switch { "docs/tour.md" => "# One call\n## Who pays?\n", "README.md" => "x", _ => null };
        TextLaws.LinksResolve("docs/a.md", "[x](tour.md#who-pays) [y](../README.md) [z](https://x.y/) `[q](no.md)`", Read).ShouldBeEmpty();
        TextLaws.LinksResolve("docs/a.md", "\n[x](gone.md)", Read).ShouldHaveSingleItem().ShouldStartWith("docs/a.md:2");
        TextLaws.LinksResolve("docs/a.md", "[x](tour.md#who-asks)", Read).ShouldHaveSingleItem().ShouldContain("#who-asks");
    }
}
