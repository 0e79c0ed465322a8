def test_pages_open(any_world):
    any_world.trial.reach("certified")
    desk = any_world.client("desk")
    for page in ("/", "/work/", "/scenarios/", "/scenarios/plant/milling/", "/applications/acme/forest/", "/trials/", "/trials/c1/", "/trials/c1/report/", "/organisations/", "/organisations/plant/"):
        answer = desk.get(page)
        assert answer.status_code == 200, (page, answer.content[:3000].decode())
