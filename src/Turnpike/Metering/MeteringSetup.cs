namespace Turnpike.Metering;

/// <summary>Registers metering.</summary>
internal static class MeteringSetup
{
    public static IServiceCollection AddMetering(this IServiceCollection services) => services.AddSingleton<UsageExports>(_ => static () => []).AddSingleton<UsageStore>().AddSingleton<MeterQueries>().AddSingleton<MarginQueries>();
}
