namespace Turnpike.EndToEnd.Harness;

/// <summary>The copies of the scenarios are what the contract says.</summary>
public sealed class ContractCopyTests
{
    [Fact]
    public void The_copied_scenarios_equal_the_contract_beside_the_checkout()
    {
        if (!Directory.Exists(Checkout.SharedContract)) Assert.Skip("There is no contract folder beside this checkout to compare with.");
        foreach (var copy in Directory.EnumerateFiles(Checkout.Contract).Where(f => !f.EndsWith(".md", StringComparison.Ordinal)))
            File.ReadAllText(copy).ShouldBe(File.ReadAllText(Path.Combine(Checkout.SharedContract, Path.GetFileName(copy))), Path.GetFileName(copy));
    }
}
