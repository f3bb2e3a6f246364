#if TURNPIKE_SABOTAGE
namespace Turnpike.Storage;

/// <summary>
/// Turns one safety off, so that the tests which name its property can be seen to fail. Compiled only into the build that tests the
/// tests (<c>-p:Sabotage=true</c>), never into the product.
/// </summary>
internal static class Sabotage
{
    private static readonly string? Safety = Environment.GetEnvironmentVariable("TURNPIKE_SABOTAGE");

    public static bool Of(string safety) => safety == Safety;
}
#endif
