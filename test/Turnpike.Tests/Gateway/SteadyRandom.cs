namespace Turnpike.Tests.Gateway;

/// <summary>Chance that always takes the middle.</summary>
internal sealed class SteadyRandom : Random
{
    public override long NextInt64(long maxValue) => maxValue / 2;
}
