import psycopg, json
from psycopg import sql
from tests.builders.running_api import PASSWORD, token_in
from tests.builders.invitations import joined
from tests.integration.privacy.world import World

COLS = """SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema='public' AND t.table_type='BASE TABLE'"""

def grep(world, needles):
    hits = {}
    for t, col in world.admin.execute(COLS).fetchall():
        for n in needles:
            q = sql.SQL("SELECT count(*) FROM {} WHERE {}::text ILIKE %s").format(sql.Identifier(t), sql.Identifier(col))
            k = world.admin.execute(q, (f"%{n}%",)).fetchone()[0]
            if k: hits[(t, col, n)] = k
    return hits

def test_all(world: World):
    api = world.api
    owner = api.register(first_name="Olga", last_name="Ownerson")
    ada = api.register(first_name="Zzada", last_name="Zzlovelace")
    api.mails()
    def call(m, p, b=None, by=ada, **k):
        a = api.request(m, p, b, token=by.access_token, **k); print(m, p, a.status, a.text[:90] if a.status>299 else ""); return a
    call("PATCH","/v1/me",{"username":"zzadaname","first_name":"Zzada"})
    key = call("POST","/v1/api-keys",{"name":"zzkey"}, headers={"Idempotency-Key":"zz1"}).json
    rot = call("POST",f"/v1/api-keys/{key['id']}/rotate",{}).json
    # ada's org gets another owner; ada becomes a guest in her own
    olga = joined(api, ada, "admin", owner)
    org=f"/v1/organizations/{ada.organization_id}"
    call("POST", org+"/transfer", {"user_id": owner.user_id})
    call("POST", org+"/invitations", {"email":"zzguest@example.com","role":"viewer"})
    call("POST", org+"/invitations", {"email":ada.email,"role":"viewer"}, by=olga)
    api.mails()
    b=call("POST","/v1/bots",{"name":"B"}).json
    call("PATCH",f"/v1/bots/{b['id']}",{"name":"C"})
    api.request("POST","/v1/auth/login",{"email":ada.email,"password":"zzwrongpw"})
    call("POST","/v1/me/email",{"email":"zznew@example.com","password":PASSWORD})
    tok=[token_in(m) for m in api.mails()]
    call("GET","/v1/me/export")
    secrets=[PASSWORD, key["key"], key["key"][-30:], rot["key"][-30:], ada.refresh_token, ada.access_token[:40], "zzwrongpw", *tok]
    needles=[ada.email, "zzada","zzlovelace","zzadaname"]
    print("BEFORE", grep(world, secrets)); 
    for k,v in grep(world, needles).items(): print("B", k, v)
    d=world.delete_me(ada); print(d.status,d.text[:200])
    print(world.purge())
    for k,v in grep(world, [*needles, "zzkey", "zznew"]).items(): print("AFTER", k, v)
    print(world.admin.execute("select action, before, after from audit_log where before::text ilike '%%zz%%' or after::text ilike '%%zz%%'").fetchall())
