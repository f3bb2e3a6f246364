using Turnpike.Catalog;
using Turnpike.Identity.OAuth;
using Turnpike.Identity.Organisations;
using Turnpike.Identity.Reputations;
using Turnpike.Identity.Signatures;
using Turnpike.Storage.Nodes;

namespace Turnpike.Identity;

/// <summary>Registers identity.</summary>
internal static class IdentitySetup
{
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddSingleton<CallerStore>().AddSingleton(s =>
        {
            var desk = ActivatorUtilities.CreateInstance<CallerDesk>(s);
            s.GetRequiredService<Revisions>().On(CallerStore.Revision, desk.Forget);
            s.GetRequiredService<Revisions>().On(CallerStore.Joined, desk.ForgetStrangers);
            return desk;
        });
        services.AddSingleton<OrganisationStore>().AddSingleton(s =>
        {
            var desk = ActivatorUtilities.CreateInstance<OrganisationDesk>(s);
            s.GetRequiredService<Revisions>().On(OrganisationStore.Revision, desk.Forget);
            return desk;
        });
        services.AddSingleton<TokenPrincipals>();
        services.AddSingleton<PublicClient>(static _ => GuardedHttp.CreatePublic).AddSingleton<SeenOnce>().AddSingleton<DpopNonces>();
        services.AddSingleton<ISignerScheme, WebBotAuth>().AddSingleton<ISignerScheme, TrustedAgents>().AddSingleton<ISignerScheme, WalletSignatures>();
        services.AddSingleton<ICallerProof, DpopProof>().AddSingleton<ICallerProof, SignatureProof>();
        services.AddSingleton<ICallerProof, JwtProof>();
        services.AddSingleton<KeyProof>().AddSingleton<ICallerProof>(s => s.GetRequiredService<KeyProof>());
        services.AddSingleton<ICallerProof, IntrospectionProof>();
        services.AddSingleton<ReputationStore>().AddSingleton<ReputationBook>().AddHostedService(s => s.GetRequiredService<ReputationBook>());
        return services.AddSingleton<CallerDirectory>();
    }
}
