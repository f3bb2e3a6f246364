namespace Turnpike.Tokens;

/// <summary>Registers tokens.</summary>
internal static class TokensSetup
{
    public static IServiceCollection AddTokens(this IServiceCollection services) => services.AddSingleton<TokenStore>().AddSingleton<TokenDesk>().AddSingleton<HandoverStore>().AddSingleton<TokenHandover>().AddSingleton<TokenExchange>();
}
